{#- The conversations of closed deals that took place by the day of closing: what is said after it can
    foretell nothing. One row per conversation. -#}
{% macro calls_of_closed_deals() -%}
    select
        links.conversation_key,
        links.vendor,
        links.started_on,
        opportunities.opportunity_id,
        opportunities.segment,
        case when opportunities.is_won then 1 else 0 end as won
    from {{ ref('bridge_conversation_opportunities') }} as links
    inner join {{ ref('dim_opportunities') }} as opportunities
        on links.opportunity_id = opportunities.opportunity_id
    where
        opportunities.is_closed
        and opportunities.is_won is not null
        and links.started_on <= coalesce(opportunities.closed_on, links.started_on)
{%- endmacro %}
