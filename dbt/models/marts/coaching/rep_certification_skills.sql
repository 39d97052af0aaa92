{%- set settings = var('certification') %}

with

skills as (

    select * from {{ ref('stg_reference__certification_rubrics') }}

),

versions as (

    select distinct
        rubric_version,
        valid_from
    from skills

),

-- A rubric is in force until the next version is.
rubrics as (

    select
        versions.rubric_version,
        versions.valid_from,
        min(later.valid_from) as valid_until
    from versions
    left join versions as later
        on versions.valid_from < later.valid_from
    group by versions.rubric_version, versions.valid_from

),

scored as (

    select
        found.kit_name,
        found.brick_key,
        found.kit_version_id,
        found.value_number,
        found.value_normalised,
        conversations.conversation_key,
        conversations.rep_key,
        conversations.started_at,
        conversations.started_on
    from {{ ref('fct_brick_values') }} as found
    inner join {{ ref('fct_conversations') }} as conversations
        on found.conversation_key = conversations.conversation_key
    where
        found.is_latest
        and found.value_normalised is not null
        and conversations.rep_key is not null

),

calls as (

    select
        scored.conversation_key,
        scored.rep_key,
        scored.kit_version_id,
        scored.value_number,
        scored.value_normalised,
        scored.started_at,
        scored.started_on,
        skills.rubric_skill_key,
        skills.rubric_version,
        skills.kit_name,
        round(scored.value_normalised - skills.threshold_percent / 100, 6) >= 0 as is_qualifying,
        row_number() over (
            partition by scored.rep_key, skills.rubric_skill_key, scored.kit_version_id
            order by scored.started_at, scored.conversation_key
        ) as call_number
    from scored
    inner join skills
        on
            scored.kit_name = skills.kit_name
            and scored.brick_key = skills.brick_key
    inner join rubrics
        on
            skills.rubric_version = rubrics.rubric_version
            and scored.started_on >= rubrics.valid_from
            and (rubrics.valid_until is null or scored.started_on < rubrics.valid_until)

),

averaged as (

    select
        rep_key,
        rubric_skill_key,
        kit_version_id,
        count(*) as calls_scored,
        count(case when is_qualifying then 1 end) as calls_qualifying,
        avg(value_number) as score,
        avg(value_normalised) as score_normalised,
        min(started_on) as first_call_on,
        max(started_on) as last_call_on,
        max(started_at) as last_call_at,
        {{ slope('value_normalised', 'call_number') | indent(8) }} as improvement_per_call,
        {{ slope('value_normalised', dbt.datediff(as_of(), 'started_on', 'day')) | indent(8) }} * 7 as improvement_per_week
    from calls
    group by rep_key, rubric_skill_key, kit_version_id

),

-- Who shows in a rubric shows in each of its skills, scored or not.
taking as (

    select distinct
        rep_key,
        rubric_version
    from calls

),

final as (

    select
        taking.rep_key || ':' || skills.rubric_version || ':' || skills.skill || ':'
        || coalesce(averaged.kit_version_id, 'unscored') as certification_skill_key,
        taking.rep_key,
        reps.rep_name,
        reps.team,
        reps.manager,
        skills.rubric_version,
        skills.skill,
        skills.skill_title,
        averaged.kit_version_id,
        row_number() over (
            partition by taking.rep_key, skills.rubric_skill_key
            order by averaged.last_call_at desc nulls last, averaged.kit_version_id desc nulls last
        ) = 1 as is_last_version,
        coalesce(averaged.calls_scored, 0) as calls_scored,
        averaged.score,
        averaged.score_normalised,
        round(100 * averaged.score_normalised, 6) as score_percent,
        skills.threshold_percent,
        round(averaged.score_normalised - skills.threshold_percent / 100, 6) < 0 as is_weak,
        skills.calls_needed,
        coalesce(averaged.calls_qualifying, 0) as calls_qualifying,
        greatest(0, skills.calls_needed - coalesce(averaged.calls_qualifying, 0)) as calls_until_certified,
        coalesce(averaged.calls_scored, 0) >= {{ settings.minimum_calls }} as has_enough_data,
        {%- for unit in ['call', 'week'] %}
        case
            when averaged.calls_scored >= {{ settings.minimum_calls }}
                then round(averaged.improvement_per_{{ unit }}, 6)
        end as improvement_per_{{ unit }},
        {%- endfor %}
        averaged.first_call_on,
        averaged.last_call_on
    from taking
    inner join skills
        on taking.rubric_version = skills.rubric_version
    inner join {{ ref('dim_reps') }} as reps
        on taking.rep_key = reps.rep_key
    left join averaged
        on
            taking.rep_key = averaged.rep_key
            and skills.rubric_skill_key = averaged.rubric_skill_key

)

select * from final
