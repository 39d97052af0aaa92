{#- Some bricks of a kit side by side, one row per conversation, by its latest score. -#}
{% macro latest_bricks(kit, numbers=[], booleans=[], texts=[]) -%}
    select
        conversation_key,
        max(kit_version_id) as kit_version_id,
        max(scored_at) as scored_at
        {%- for brick in numbers -%},
        max(case when brick_key = '{{ brick }}' then value_number end) as {{ brick }},
        max(case when brick_key = '{{ brick }}' then value_normalised end) as {{ brick }}_normalised
        {%- endfor -%}
        {%- for brick in booleans -%},
        max(case when brick_key = '{{ brick }}' then value_boolean end) as {{ brick }}
        {%- endfor -%}
        {%- for brick in texts -%},
        max(case when brick_key = '{{ brick }}' then value_text end) as {{ brick }}
        {%- endfor %}
    from {{ ref('fct_brick_values') }}
    where
        is_latest
        and kit_name = '{{ kit }}'
    group by conversation_key
{%- endmacro %}


{#- The qualification signals that were found, one row per deal, conversation and signal. Which ones a
    deal of its type should show is in qualification_signals. -#}
{% macro deal_signals_seen() -%}
    select
        links.opportunity_id,
        links.conversation_key,
        links.vendor,
        links.started_on,
        expected.signal,
        expected.counts_for_coverage,
        expected.counts_for_readiness,
        found.kit_version_id
    from {{ ref('bridge_conversation_opportunities') }} as links
    inner join {{ ref('dim_opportunities') }} as opportunities
        on links.opportunity_id = opportunities.opportunity_id
    inner join {{ ref('fct_brick_values') }} as found
        on links.conversation_key = found.conversation_key
    inner join {{ ref('stg_reference__qualification_signals') }} as expected
        on
            opportunities.deal_type = expected.deal_type
            and found.kit_name = expected.kit_name
            and found.brick_key = expected.signal
    where
        found.is_latest
        and found.value_boolean
{%- endmacro %}
