with

-- An element told twice in one conversation counts once, as drifted if it was once.
calls as (

    select
        conversation_key,
        area as element,
        max(rep_key) as rep_key,
        max(started_on) as started_on,
        max(kit_version_id) as kit_version_id,
        count(*) as message_count,
        min(case when verdict = 'approved' then 1 else 0 end) = 1 as is_approved,
        max(case when outcome = 'outdated' then 1 else 0 end) = 1 as is_outdated
    from {{ ref('fct_claims') }}
    where brick_key = 'messages'
    group by conversation_key, area

),

severities as (
    {{ latest_bricks('messaging_accuracy', numbers=['drift_severity'], texts=['drift_category']) }}

),

taught as (
    {{ last_enablement('calls') }}

),

final as (

    select
        calls.conversation_key || ':' || calls.element as element_call_key,
        calls.conversation_key,
        calls.element,
        calls.started_on,
        calls.rep_key,
        reps.rep_name,
        reps.team,
        calls.kit_version_id,
        calls.message_count,
        calls.is_approved,
        calls.is_outdated,
        -- The kit gives one severity a call, that of the message furthest off.
        case when severities.drift_category = calls.element then severities.drift_severity end as drift_severity,
        case
            when severities.drift_category = calls.element then severities.drift_severity_normalised
        end as drift_severity_normalised,
        taught.held_on as last_enablement_on,
        taught.days_since_enablement,
        taught.document_version as taught_version
    from calls
    left join severities
        on calls.conversation_key = severities.conversation_key
    left join taught
        on
            calls.conversation_key = taught.conversation_key
            and calls.element = taught.element
    left join {{ ref('dim_reps') }} as reps
        on calls.rep_key = reps.rep_key

)

select * from final
