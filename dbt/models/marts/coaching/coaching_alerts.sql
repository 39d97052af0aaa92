with

thresholds as (

    select * from {{ ref('stg_reference__skill_thresholds') }}

),

calls as (

    select
        conversations.rep_key,
        thresholds.skill,
        found.conversation_key,
        found.kit_version_id,
        found.value_number,
        found.value_normalised,
        conversations.started_at,
        conversations.started_on,
        thresholds.alert_below,
        thresholds.alert_after_calls,
        found.value_normalised < thresholds.alert_below as is_below
    from {{ ref('fct_brick_values') }} as found
    inner join thresholds
        on
            found.kit_name = thresholds.kit_name
            and found.brick_key = thresholds.brick_key
    inner join {{ ref('fct_conversations') }} as conversations
        on found.conversation_key = conversations.conversation_key
    where
        found.is_latest
        and found.value_normalised is not null
        and conversations.rep_key is not null

),

-- A run of calls below the threshold: all calls since the last one at or above it have its number.
numbered as (

    select
        *,
        sum(case when is_below then 0 else 1 end) over (
            partition by rep_key, skill, kit_version_id
            order by started_at, conversation_key
            rows between unbounded preceding and current row
        ) as run_number,
        max(started_at) over (partition by rep_key, skill, kit_version_id) as newest_at
    from calls

),

runs as (

    select
        rep_key,
        skill,
        kit_version_id,
        run_number,
        max(alert_below) as alert_below,
        max(alert_after_calls) as alert_after_calls,
        count(*) as calls_below,
        min(started_on) as first_call_on,
        max(started_on) as last_call_on,
        avg(value_number) as score,
        avg(value_normalised) as score_normalised,
        max(started_at) = max(newest_at) as is_open
    from numbered
    where is_below
    group by rep_key, skill, kit_version_id, run_number

),

alerts as (

    select * from runs
    where calls_below >= alert_after_calls

),

techniques as (

    select
        numbered.rep_key,
        numbered.skill,
        numbered.kit_version_id,
        numbered.run_number,
        found.value_text as discovery_technique_depth
    from numbered
    inner join {{ ref('fct_brick_values') }} as found
        on
            numbered.conversation_key = found.conversation_key
            and found.is_latest
            and found.kit_name = 'coaching_skills'
            and found.brick_key = 'discovery_technique_depth'
    where numbered.is_below
    qualify row_number() over (
        partition by numbered.rep_key, numbered.skill, numbered.kit_version_id, numbered.run_number
        order by numbered.started_at desc, numbered.conversation_key desc
    ) = 1

),

-- The last training in the skill that was before the alert's last call.
trainings as (

    select
        alerts.rep_key,
        alerts.skill,
        alerts.kit_version_id,
        alerts.run_number,
        max(events.held_on) as last_training_on
    from alerts
    inner join {{ ref('dim_reps') }} as reps
        on alerts.rep_key = reps.rep_key
    inner join {{ ref('stg_reference__training_events') }} as events
        on
            (reps.user_id = events.user_id or reps.rep_email = events.user_email)
            and alerts.skill = events.skill
            and alerts.last_call_on >= events.held_on
    group by alerts.rep_key, alerts.skill, alerts.kit_version_id, alerts.run_number

),

since_training as (

    select
        trainings.rep_key,
        trainings.skill,
        trainings.kit_version_id,
        trainings.run_number,
        trainings.last_training_on,
        count(case when calls.started_on >= trainings.last_training_on then 1 end) as calls_since_training,
        avg(case when calls.started_on < trainings.last_training_on then calls.value_normalised end) as score_before_training_normalised
    from trainings
    inner join alerts
        on
            trainings.rep_key = alerts.rep_key
            and trainings.skill = alerts.skill
            and trainings.kit_version_id = alerts.kit_version_id
            and trainings.run_number = alerts.run_number
    inner join calls
        on
            trainings.rep_key = calls.rep_key
            and trainings.skill = calls.skill
            and trainings.kit_version_id = calls.kit_version_id
            and alerts.last_call_on >= calls.started_on
    group by
        trainings.rep_key, trainings.skill, trainings.kit_version_id, trainings.run_number,
        trainings.last_training_on

),

final as (

    select
        alerts.rep_key || ':' || alerts.skill || ':' || alerts.kit_version_id || ':'
        || cast(alerts.first_call_on as varchar) || ':' || cast(alerts.run_number as varchar) as alert_key,
        alerts.rep_key,
        reps.rep_name,
        reps.team,
        reps.manager,
        alerts.skill,
        alerts.kit_version_id,
        alerts.calls_below,
        alerts.score,
        alerts.score_normalised,
        alerts.alert_below as threshold_normalised,
        techniques.discovery_technique_depth,
        alerts.is_open,
        alerts.first_call_on,
        alerts.last_call_on,
        since_training.last_training_on,
        since_training.calls_since_training,
        since_training.score_before_training_normalised,
        alerts.score_normalised < since_training.score_before_training_normalised as is_regression
    from alerts
    inner join {{ ref('dim_reps') }} as reps
        on alerts.rep_key = reps.rep_key
    left join techniques
        on
            alerts.rep_key = techniques.rep_key
            and alerts.skill = techniques.skill
            and alerts.kit_version_id = techniques.kit_version_id
            and alerts.run_number = techniques.run_number
    left join since_training
        on
            alerts.rep_key = since_training.rep_key
            and alerts.skill = since_training.skill
            and alerts.kit_version_id = since_training.kit_version_id
            and alerts.run_number = since_training.run_number

)

select * from final
