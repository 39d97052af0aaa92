with

declared as (

    select * from {{ ref('stg_reference__alert_routes') }}

),

-- The project's own rules count while the table has none.
routes as (

    select
        rule,
        rule_title,
        kit_name,
        brick_key,
        alert_below,
        score_brick_key,
        recipient,
        team
    from declared
    {%- for route in var('alert_rules') %}

    union all

    select
        '{{ route["rule"] }}' as rule,
        '{{ route["rule_title"] }}' as rule_title,
        '{{ route["kit_name"] }}' as kit_name,
        '{{ route["brick_key"] }}' as brick_key,
        cast({{ 'null' if route["alert_below"] is none else route["alert_below"] }} as double) as alert_below,
        '{{ route["score_brick_key"] }}' as score_brick_key,
        '{{ route["recipient"] }}' as recipient,
        '{{ route["team"] }}' as team
    from (select count(*) as route_count from declared) as counted
    where route_count = 0
    {%- endfor %}

),

-- Every score a rule looks at, also those that a later one has replaced.
answers as (

    select
        routes.rule,
        found.conversation_key,
        found.vendor,
        found.conversation_id,
        found.is_latest,
        found.scored_at,
        found.kit_version_id,
        coalesce(found.value_boolean, found.value_normalised < routes.alert_below, false) as is_raised
    from {{ ref('fct_brick_values') }} as found
    inner join routes
        on
            found.kit_name = routes.kit_name
            and found.brick_key = routes.brick_key

),

raised as (

    select
        rule,
        conversation_key,
        max(vendor) as vendor,
        max(conversation_id) as conversation_id,
        min(case when is_raised then scored_at end) as first_raised_at,
        count(case when is_raised then 1 end) as times_raised,
        count(case when is_raised and is_latest then 1 end) > 0 as is_open
    from answers
    group by rule, conversation_key
    having count(case when is_raised then 1 end) > 0

),

scored as (

    select
        raised.*,
        routes.rule_title,
        routes.kit_name,
        routes.brick_key,
        routes.alert_below,
        routes.recipient,
        routes.team,
        latest.kit_version_id,
        latest.value_number as score,
        latest.value_normalised as score_normalised,
        latest.scored_at as last_scored_at
    from raised
    inner join routes
        on raised.rule = routes.rule
    left join {{ ref('fct_brick_values') }} as latest
        on
            raised.conversation_key = latest.conversation_key
            and routes.kit_name = latest.kit_name
            and routes.score_brick_key = latest.brick_key
            and latest.is_latest

),

final as (

    select
        scored.conversation_key || ':' || scored.rule as alert_key,
        scored.rule,
        scored.recipient,
        scored.team,
        scored.rule_title || ' on ' || scored.conversation_key || ', score: '
        || coalesce(cast(cast(scored.score as decimal(18, 2)) as varchar), 'none') as message,
        scored.conversation_key,
        scored.vendor,
        scored.conversation_id,
        links.opportunity_id,
        conversations.rep_key,
        scored.kit_name,
        scored.brick_key,
        scored.kit_version_id,
        scored.alert_below as threshold_normalised,
        scored.score,
        scored.score_normalised,
        scored.is_open,
        scored.times_raised,
        conversations.started_on,
        scored.first_raised_at,
        scored.last_scored_at
    from scored
    left join {{ ref('fct_conversations') }} as conversations
        on scored.conversation_key = conversations.conversation_key
    left join {{ ref('bridge_conversation_opportunities') }} as links
        on scored.conversation_key = links.conversation_key

)

select * from final
