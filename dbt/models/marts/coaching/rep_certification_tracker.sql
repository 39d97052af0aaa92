{%- set settings = var('certification') %}

with

-- Of each skill the scores of one version of its kit: that of the rep's last call in it.
skills as (

    select * from {{ ref('rep_certification_skills') }}
    where is_last_version

),

summed as (

    select
        rep_key,
        rubric_version,
        max(rep_name) as rep_name,
        max(team) as team,
        max(manager) as manager,
        count(*) as skill_count,
        count(score_normalised) as scored_skill_count,
        count(distinct kit_version_id) as kit_version_count,
        max(kit_version_id) as kit_version_id,
        min(calls_scored) as calls_scored_least,
        max(calls_scored) as calls_scored_most,
        avg(score_normalised) as readiness,
        nullif({{ dbt.listagg("case when is_weak then skill end", "', '", "order by skill") }}, '') as weak_areas,
        count(case when is_weak then 1 end) as weak_area_count,
        max(calls_until_certified) as calls_until_certified,
        avg(improvement_per_call) as improvement_per_call,
        avg(improvement_per_week) as improvement_per_week,
        max(last_call_on) as last_call_on
    from skills
    group by rep_key, rubric_version

),

final as (

    select
        rep_key || ':' || rubric_version as certification_key,
        rep_key,
        rep_name,
        team,
        manager,
        rubric_version,
        case when kit_version_count = 1 then kit_version_id end as kit_version_id,
        kit_version_count,
        skill_count,
        scored_skill_count,
        calls_scored_least,
        calls_scored_most,
        case when scored_skill_count = skill_count then readiness end as readiness_normalised,
        case when scored_skill_count = skill_count then round(100 * readiness, 6) end as readiness_percent,
        weak_areas,
        weak_area_count,
        calls_until_certified,
        improvement_per_call,
        improvement_per_week,
        case
            when scored_skill_count < skill_count or calls_scored_least < {{ settings.minimum_calls }}
                then 'not_enough_data'
            when calls_until_certified = 0 and round(100 * readiness, 6) >= {{ settings.certified_percent }}
                then 'certified'
            when round(100 * readiness, 6) >= {{ settings.close_percent }} then 'close'
            else 'needs_coaching'
        end as certification_status,
        last_call_on
    from summed

)

select * from final
