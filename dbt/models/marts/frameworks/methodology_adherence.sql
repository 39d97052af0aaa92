with

elements as (

    select * from {{ ref('stg_reference__framework_steps') }}

),

scored as (

    select *
    from {{ ref('fct_brick_values') }}
    where
        is_latest
        and kit_name in (select elements.kit_name from elements)

),

-- Which framework a kit checks: what the call's own score says, else the only one it can be.
kits as (

    select
        kit_name,
        case when min(framework) = max(framework) then max(framework) end as only_framework
    from elements
    group by kit_name

),

calls as (

    select
        scored.conversation_key,
        scored.kit_name,
        scored.kit_version_id,
        coalesce(
            max(case when scored.brick_key = 'framework' then scored.value_text end),
            max(kits.only_framework)
        ) as framework
    from scored
    inner join kits
        on scored.kit_name = kits.kit_name
    group by scored.conversation_key, scored.kit_name, scored.kit_version_id

),

final as (

    select
        calls.conversation_key || ':' || calls.kit_version_id || ':' || elements.framework_step_key as adherence_key,
        calls.conversation_key,
        conversations.vendor,
        conversations.started_on,
        conversations.rep_key,
        conversations.deal_stage,
        links.opportunity_id,
        opportunities.segment,
        opportunities.is_closed,
        opportunities.is_won,
        calls.framework,
        calls.kit_name,
        calls.kit_version_id,
        elements.step_number as element_number,
        elements.step as element,
        elements.step_title as element_title,
        answers.value_boolean as is_covered,
        answers.confidence,
        answers.evidence
    from calls
    inner join elements
        on
            calls.kit_name = elements.kit_name
            and calls.framework = elements.framework
    inner join {{ ref('fct_conversations') }} as conversations
        on calls.conversation_key = conversations.conversation_key
    left join {{ ref('bridge_conversation_opportunities') }} as links
        on calls.conversation_key = links.conversation_key
    left join {{ ref('dim_opportunities') }} as opportunities
        on links.opportunity_id = opportunities.opportunity_id
    left join scored as answers
        on
            calls.conversation_key = answers.conversation_key
            and calls.kit_name = answers.kit_name
            and calls.kit_version_id = answers.kit_version_id
            and elements.brick_key = answers.brick_key

)

select * from final
