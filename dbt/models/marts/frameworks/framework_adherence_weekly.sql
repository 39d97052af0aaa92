with

calls as (

    select * from {{ ref('framework_adherence_calls') }}

),

weeks as (

    select
        framework,
        kit_version_id,
        week_start,
        avg(step_share) as step_share,
        avg(score) as score,
        avg(score_normalised) as score_normalised
    from calls
    group by framework, kit_version_id, week_start

),

steps as (

    select
        calls.framework,
        calls.kit_name,
        calls.kit_version_id,
        calls.week_start,
        answers.element_number as step_number,
        answers.element as step,
        answers.element_title as step_title,
        count(*) as call_count,
        count(distinct calls.rep_key) as rep_count,
        count(case when answers.is_covered then 1 end) as followed_count,
        count(case when not answers.is_covered then 1 end) as skipped_count,
        count(case when lower(calls.deal_stage) = 'discovery' then 1 end) as discovery_call_count,
        count(case when lower(calls.deal_stage) = 'discovery' and not answers.is_covered then 1 end)
            as discovery_skipped_count
    from calls
    inner join {{ ref('methodology_adherence') }} as answers
        on
            calls.conversation_key = answers.conversation_key
            and calls.kit_version_id = answers.kit_version_id
            and calls.framework = answers.framework
    where answers.is_covered is not null
    group by
        calls.framework, calls.kit_name, calls.kit_version_id, calls.week_start,
        answers.element_number, answers.element, answers.element_title

),

final as (

    select
        steps.framework || ':' || steps.kit_version_id || ':' || steps.step || ':'
        || cast(steps.week_start as varchar) as adherence_week_key,
        steps.framework,
        steps.kit_name,
        steps.kit_version_id,
        steps.step_number,
        steps.step,
        steps.step_title,
        steps.week_start,
        steps.call_count,
        steps.rep_count,
        steps.call_count >= {{ var('minimum_n') }} as has_enough_data,
        steps.followed_count,
        steps.skipped_count,
        round(cast(steps.skipped_count as double) / steps.call_count, 6) as skipped_share,
        round({{ wilson_lower('steps.skipped_count', 'steps.call_count') }}, 6) as skipped_share_lower,
        round({{ wilson_upper('steps.skipped_count', 'steps.call_count') }}, 6) as skipped_share_upper,
        steps.discovery_call_count,
        steps.discovery_skipped_count,
        round(cast(steps.discovery_skipped_count as double) / nullif(steps.discovery_call_count, 0), 6)
            as discovery_skipped_share,
        round(weeks.step_share, 6) as week_step_share,
        round(weeks.score, 6) as week_score,
        round(weeks.score_normalised, 6) as week_score_normalised
    from steps
    inner join weeks
        on
            steps.framework = weeks.framework
            and steps.kit_version_id = weeks.kit_version_id
            and steps.week_start = weeks.week_start

)

select * from final
