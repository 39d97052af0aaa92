{#- Words that the `where` of a test may use, so that testing what grows costs what is new:
      new_utterances, new_signals: rows that landed after the last build had read;
      conversations_with_new_utterances, conversations_with_new_signals: all rows of the
        conversations that have such rows, so that a second row with an old key is found too;
      last_written: rows that the last build wrote.
    With `test_whole_tables` they mean every row. What failed in staging stays new: the models
    behind it are not built, so the next build finds it again. -#}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get('where') -%}
    {%- if where == 'last_written' -%}
        {%- set where = last_written(relation) -%}
    {%- elif where in ('new_utterances', 'new_signals') -%}
        {%- set where = landed_since_the_last_build(relation, where.split('_') | last) -%}
    {%- elif where and where.startswith('conversations_with_new_') -%}
        {%- set where = landed_since_the_last_build(relation, where.split('_') | last) -%}
        {%- if where -%}
            {%- set where = 'conversation_key in (select conversation_key from ' ~ relation ~ ' where ' ~ where ~ ')' -%}
        {%- endif -%}
    {%- endif -%}
    {%- if not where -%}
        {{ return(relation) }}
    {%- endif -%}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') as tested') }}
{%- endmacro %}


{% macro last_written(relation) -%}
    {%- if not tests_new_rows_only() -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set newest = newest_moment(relation, 'built_at') -%}
    {{ return('built_at >= ' ~ moment_literal(newest) if newest else none) }}
{%- endmacro %}


{% macro landed_since_the_last_build(relation, family) -%}
    {%- set batches = relation.incorporate(path={
        'schema': generate_schema_name('intermediate', none), 'identifier': 'int_landing__batches_read'
    }) -%}
    {%- if not tests_new_rows_only() or not load_relation(batches) -%}
        {{ return(none) }}
    {%- endif -%}
    {#- Within a build the batches may have been read already, or not yet. -#}
    {%- set before = run_started_at.isoformat() if flags.WHICH == 'build' else newest_moment(batches, 'built_at') -%}
    {%- set read -%}
        (
            select loaded_at from {{ batches }}
            where family = '{{ family }}' and row_count > 0 and built_at < {{ moment_literal(before) }}
        )
    {%- endset -%}
    {%- set newest = newest_moment(read ~ ' as batches', 'loaded_at') -%}
    {{ return('loaded_at > ' ~ moment_literal(newest) if newest else none) }}
{%- endmacro %}


{% macro tests_new_rows_only() -%}
    {{ return(execute and flags.INTROSPECT and not var('test_whole_tables')) }}
{%- endmacro %}
