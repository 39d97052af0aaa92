{%- set settings = var('attrition') %}

with

conversations as (

    select
        conversation_key,
        rep_key,
        started_on,
        started_at,
        cast({{ dbt.date_trunc('month', 'started_on') }} as date) as month_start
    from {{ ref('fct_conversations') }}
    where rep_key is not null

),

wellbeing as (
    {{ latest_bricks(
        'agent_wellbeing',
        numbers=['frustration_frequency', 'coaching_receptivity', 'energy_level'],
        booleans=['customer_escalated'],
    ) | indent(4) }}

),

quality as (
    {{ latest_bricks('interaction_quality', numbers=['compliance_score', 'empathy_score']) }}

),

-- The CRM and HR name an employment by the vendor's id or by the address.
employments as (

    select distinct
        identities.rep_key,
        users.user_id,
        users.hired_on,
        users.left_on
    from {{ ref('int_reps__identified') }} as identities
    inner join {{ ref('stg_crm__users') }} as users
        on
            (
                identities.vendor = users.vendor
                and identities.owner_reference = users.vendor_user_id
            )
            or identities.rep_email = users.email

),

leavings as (

    select
        rep_key,
        left_on
    from employments
    where left_on <= {{ as_of() }}

    union all

    select
        employments.rep_key,
        attrition.left_on
    from {{ ref('stg_reference__hr_attrition') }} as attrition
    inner join employments
        on attrition.user_id = employments.user_id

    union all

    select
        identities.rep_key,
        attrition.left_on
    from {{ ref('stg_reference__hr_attrition') }} as attrition
    inner join {{ ref('int_reps__identified') }} as identities
        on
            attrition.vendor = identities.vendor
            and attrition.vendor_user_id = identities.owner_reference

),

known_people as (

    select distinct rep_key
    from (
        select rep_key from employments
        union all
        select rep_key from leavings
    ) as known

),

-- Only months that are over: of others, not all is known that the feature will be.
months as (

    select
        conversations.rep_key,
        conversations.month_start,
        cast({{ dbt.dateadd('month', 1, 'conversations.month_start') }} as date) as known_on,
        wellbeing.kit_version_id,
        count(*) as conversation_count,
        max(conversations.started_at) as last_conversation_at,
        max(max(conversations.started_on)) over (
            partition by conversations.rep_key, conversations.month_start
        ) as last_conversation_on,
        avg(wellbeing.frustration_frequency) as frustration_frequency,
        avg(wellbeing.frustration_frequency_normalised) as frustration_frequency_normalised,
        count(wellbeing.coaching_receptivity) as receptivity_conversation_count,
        avg(wellbeing.coaching_receptivity) as coaching_receptivity,
        avg(wellbeing.coaching_receptivity_normalised) as coaching_receptivity_normalised,
        avg(wellbeing.energy_level) as energy_level,
        avg(wellbeing.energy_level_normalised) as energy_level_normalised,
        count(case when wellbeing.customer_escalated then 1 end) as escalated_conversation_count,
        avg(
            case
                when wellbeing.customer_escalated then 1.0
                when not wellbeing.customer_escalated then 0.0
            end
        ) as customer_escalation_rate
    from conversations
    inner join wellbeing
        on conversations.conversation_key = wellbeing.conversation_key
    where {{ dbt.dateadd('month', 1, 'conversations.month_start') }} <= {{ as_of() }}
    group by conversations.rep_key, conversations.month_start, wellbeing.kit_version_id

),

-- How well the agent does: the mean of compliance and empathy, for each version of that kit.
performances as (

    select
        conversations.rep_key,
        conversations.month_start,
        quality.kit_version_id,
        count(*) as conversation_count,
        max(conversations.started_at) as last_conversation_at,
        (avg(quality.compliance_score_normalised) + avg(quality.empathy_score_normalised)) / 2
            as performance_normalised
    from conversations
    inner join quality
        on conversations.conversation_key = quality.conversation_key
    group by conversations.rep_key, conversations.month_start, quality.kit_version_id

),

-- A month of few conversations neither has a trend nor is part of one.
performance_trends as (

    select
        performances.rep_key,
        performances.month_start,
        performances.kit_version_id,
        max(performances.conversation_count) as conversation_count,
        max(performances.performance_normalised) as performance_normalised,
        max(performances.last_conversation_at) as last_conversation_at,
        {{ slope('earlier.performance_normalised', dbt.datediff('performances.month_start', 'earlier.month_start', 'month')) | indent(8) }}
            as slope
    from performances
    left join performances as earlier
        on
            performances.rep_key = earlier.rep_key
            and performances.kit_version_id = earlier.kit_version_id
            and performances.month_start >= earlier.month_start
            and {{ dbt.datediff('earlier.month_start', 'performances.month_start', 'month') }} < {{ settings.trend_months }}
            and earlier.conversation_count >= {{ settings.minimum_conversations }}
    group by performances.rep_key, performances.month_start, performances.kit_version_id

),

last_performances as (

    select *
    from performance_trends
    qualify row_number() over (
        partition by rep_key, month_start
        order by last_conversation_at desc, kit_version_id desc
    ) = 1

),

trends as (

    select
        months.rep_key,
        months.month_start,
        months.kit_version_id,
        count(earlier.month_start) as trend_month_count,
        {{ slope('earlier.frustration_frequency', dbt.datediff('months.month_start', 'earlier.month_start', 'month')) | indent(8) }}
            as slope
    from months
    left join months as earlier
        on
            months.rep_key = earlier.rep_key
            and months.kit_version_id = earlier.kit_version_id
            and months.month_start >= earlier.month_start
            and {{ dbt.datediff('earlier.month_start', 'months.month_start', 'month') }} < {{ settings.trend_months }}
            and earlier.conversation_count >= {{ settings.minimum_conversations }}
    group by months.rep_key, months.month_start, months.kit_version_id

),

-- Who left after the month's last conversation: by the month's end, or later, or not yet.
next_leavings as (

    select
        months.rep_key,
        months.month_start,
        months.kit_version_id,
        min(leavings.left_on) as left_on
    from months
    inner join leavings
        on
            months.rep_key = leavings.rep_key
            and months.last_conversation_on < leavings.left_on
    group by months.rep_key, months.month_start, months.kit_version_id

),

tenures as (

    select
        months.rep_key,
        months.month_start,
        months.kit_version_id,
        max(employments.hired_on) as hired_on
    from months
    inner join employments
        on
            months.rep_key = employments.rep_key
            and months.known_on > employments.hired_on
    group by months.rep_key, months.month_start, months.kit_version_id

),

labelled as (

    select
        months.*,
        next_leavings.left_on,
        cast({{ dbt.dateadd('day', settings.horizon_days, 'months.known_on') }} as date) as label_known_on
    from months
    left join next_leavings
        on
            months.rep_key = next_leavings.rep_key
            and months.month_start = next_leavings.month_start
            and months.kit_version_id = next_leavings.kit_version_id

),

final as (

    select
        labelled.rep_key || ':' || cast(labelled.month_start as varchar) || ':' || labelled.kit_version_id
            as agent_month_key,
        labelled.rep_key,
        reps.rep_name,
        reps.team,
        labelled.month_start,
        labelled.known_on,
        labelled.kit_version_id,
        row_number() over (
            partition by labelled.rep_key, labelled.month_start
            order by labelled.last_conversation_at desc, labelled.kit_version_id desc
        ) = 1 as is_last_version,
        labelled.conversation_count,
        labelled.frustration_frequency,
        labelled.frustration_frequency_normalised,
        labelled.receptivity_conversation_count,
        labelled.coaching_receptivity,
        labelled.coaching_receptivity_normalised,
        labelled.energy_level,
        labelled.energy_level_normalised,
        labelled.escalated_conversation_count,
        cast(labelled.customer_escalation_rate as double) as customer_escalation_rate,
        trends.trend_month_count,
        case when labelled.conversation_count >= {{ settings.minimum_conversations }} then round(trends.slope, 6) end
            as frustration_trend_slope,
        last_performances.kit_version_id as quality_kit_version_id,
        last_performances.conversation_count as performance_conversation_count,
        last_performances.performance_normalised,
        case
            when last_performances.conversation_count >= {{ settings.minimum_conversations }}
                then round(last_performances.slope, 6)
        end as performance_trend_slope,
        cast({{ dbt.datediff('tenures.hired_on', 'labelled.known_on', 'day') }} as bigint) as tenure_days,
        labelled.label_known_on,
        labelled.left_on,
        case
            when labelled.left_on <= labelled.label_known_on then true
            when known_people.rep_key is not null and labelled.label_known_on <= {{ as_of() }} then false
        end as left_within_horizon
    from labelled
    inner join {{ ref('dim_reps') }} as reps
        on labelled.rep_key = reps.rep_key
    inner join trends
        on
            labelled.rep_key = trends.rep_key
            and labelled.month_start = trends.month_start
            and labelled.kit_version_id = trends.kit_version_id
    left join last_performances
        on
            labelled.rep_key = last_performances.rep_key
            and labelled.month_start = last_performances.month_start
    left join tenures
        on
            labelled.rep_key = tenures.rep_key
            and labelled.month_start = tenures.month_start
            and labelled.kit_version_id = tenures.kit_version_id
    left join known_people
        on labelled.rep_key = known_people.rep_key
    -- Whoever was gone by then had nothing left to be foretold.
    where labelled.left_on is null or labelled.left_on > labelled.known_on

)

select * from final
