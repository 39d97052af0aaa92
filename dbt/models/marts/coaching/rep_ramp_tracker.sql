{%- set settings = var('ramp') %}

with

skills as (

    select * from {{ ref('stg_reference__skill_thresholds') }}

),

conversations as (

    select
        conversation_key,
        vendor,
        rep_key,
        started_on
    from {{ ref('fct_conversations') }}

),

calls as (

    select
        conversations.conversation_key,
        conversations.vendor,
        conversations.rep_key,
        conversations.started_on,
        skills.skill,
        found.kit_version_id,
        found.value_number,
        found.value_normalised
    from {{ ref('fct_brick_values') }} as found
    inner join skills
        on
            found.kit_name = skills.kit_name
            and found.brick_key = skills.brick_key
    inner join conversations
        on found.conversation_key = conversations.conversation_key
    where
        found.is_latest
        and found.value_normalised is not null

),

-- Weeks before the first conversation that is known of say nothing about anybody.
first_days as (

    select min(started_on) as first_on
    from conversations

),

-- Where a skill is scored at all: reps of other platforms have no row.
vendor_skills as (

    select distinct
        vendor,
        skill
    from calls

),

rep_skills as (

    select distinct
        reps.rep_key,
        reps.rep_name,
        reps.team,
        reps.manager,
        reps.hired_on,
        reps.left_on,
        skills.skill,
        skills.ramp_percent,
        skills.ramp_week
    from {{ ref('dim_reps') }} as reps
    inner join {{ ref('int_reps__identified') }} as identities
        on reps.rep_key = identities.rep_key
    inner join vendor_skills
        on identities.vendor = vendor_skills.vendor
    inner join skills
        on vendor_skills.skill = skills.skill
    where reps.hired_on is not null

),

numbers as (
    {% for number in range(1, settings.weeks + 1) %}
    select {{ number }} as week_number
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

dated as (

    select
        rep_skills.*,
        numbers.week_number,
        cast({{ dbt.dateadd('day', '7 * (numbers.week_number - 1)', 'rep_skills.hired_on') }} as date) as week_start,
        cast({{ dbt.dateadd('day', '7 * numbers.week_number', 'rep_skills.hired_on') }} as date) as week_end,
        cast({{ dbt.dateadd('day', '7 * (numbers.week_number - ' ~ settings.window_weeks ~ ')', 'rep_skills.hired_on') }} as date)
            as window_start
    from rep_skills
    cross join numbers

),

weeks as (

    select dated.*
    from dated
    cross join first_days
    where
        dated.week_start >= first_days.first_on
        and dated.week_start <= {{ as_of() }}
        and (dated.left_on is null or dated.week_start < dated.left_on)

),

-- Each week's score over its calls and those of the weeks before it that are in the window.
scored as (

    select
        weeks.rep_key,
        weeks.skill,
        weeks.week_number,
        calls.kit_version_id,
        count(*) as calls_in_window,
        count(case when calls.started_on >= weeks.week_start then 1 end) as calls_in_week,
        avg(calls.value_number) as score,
        avg(calls.value_normalised) as score_normalised,
        avg(case when calls.started_on >= weeks.week_start then calls.value_normalised end)
            as week_score_normalised
    from weeks
    inner join calls
        on
            weeks.rep_key = calls.rep_key
            and weeks.skill = calls.skill
            and weeks.hired_on <= calls.started_on
            and weeks.window_start <= calls.started_on
            and weeks.week_end > calls.started_on
    group by weeks.rep_key, weeks.skill, weeks.week_number, calls.kit_version_id

),

tracked as (

    select
        weeks.*,
        scored.kit_version_id,
        coalesce(scored.calls_in_window, 0) as calls_in_window,
        coalesce(scored.calls_in_week, 0) as calls_in_week,
        scored.score,
        scored.score_normalised,
        scored.week_score_normalised,
        weeks.week_end <= {{ as_of() }} as is_week_over,
        round(scored.score_normalised - weeks.ramp_percent / 100, 6) >= 0 as is_at_benchmark,
        coalesce(scored.calls_in_window, 0) >= {{ settings.minimum_calls }} as has_enough_data
    from weeks
    left join scored
        on
            weeks.rep_key = scored.rep_key
            and weeks.skill = scored.skill
            and weeks.week_number = scored.week_number

),

final as (

    select
        rep_key || ':' || skill || ':' || cast(week_number as varchar) || ':' || coalesce(kit_version_id, 'unscored')
            as ramp_key,
        rep_key,
        rep_name,
        team,
        manager,
        hired_on,
        skill,
        kit_version_id,
        cast(week_number as bigint) as week_number,
        week_start,
        is_week_over,
        week_number = max(week_number) over (partition by rep_key, skill) as is_latest_week,
        calls_in_week,
        calls_in_window,
        has_enough_data,
        score,
        score_normalised,
        week_score_normalised,
        ramp_percent / 100 as benchmark_normalised,
        ramp_week as benchmark_week,
        round(100 * score_normalised - ramp_percent, 6) as points_above_benchmark,
        case
            when not has_enough_data then 'not_enough_data'
            when is_at_benchmark then 'on_track'
            when week_number > ramp_week or (week_number = ramp_week and is_week_over) then 'needs_intervention'
            when week_number >= ramp_week - 1 then 'early_warning'
            else 'not_due'
        end as ramp_status
    from tracked

)

select * from final
