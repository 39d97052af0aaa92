{#- Who asks: what every statement says in a comment at its end, and every model and seed in the
    session's query tag. -#}
{% macro who_asks(node) -%}
    {%- set asks = {
        'project': project_name,
        'run': env_var('SEMARIZE_RUN', 'manual'),
        'invocation': invocation_id,
        'node': node.unique_id if node else none,
    } -%}
    {{ return(tojson(asks) | replace('*/', '') | replace("'", '')) }}
{%- endmacro %}


{#- dbt calls these around each node on Snowflake. A test is one statement, which its comment names:
    a tag for each would be two more statements a test. dbt's own macro would ask for the tag
    before; we know that it is the profile's. -#}
{% macro set_query_tag() -%}
    {%- if target.type == 'snowflake' and model.resource_type != 'test' -%}
        {%- do run_query("alter session set query_tag = '" ~ who_asks(model) ~ "'") -%}
    {%- endif -%}
{%- endmacro %}

{% macro unset_query_tag(original_query_tag) -%}
    {%- if target.type == 'snowflake' and model.resource_type != 'test' -%}
        {%- do run_query("alter session set query_tag = '" ~ (target.query_tag or '') ~ "'") -%}
    {%- endif -%}
{%- endmacro %}
