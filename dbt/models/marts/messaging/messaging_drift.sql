with

verdicts as (
    {{ latest_bricks(
        'messaging_accuracy',
        numbers=['drift_severity'],
        booleans=['approved_messaging_used'],
        texts=['drift_category'],
    ) }}

),

messages as (

    select
        conversation_key,
        count(*) as message_count,
        count(case when verdict = 'approved' then 1 end) as approved_message_count,
        count(case when outcome = 'outdated' then 1 end) as outdated_message_count
    from {{ ref('fct_claims') }}
    where brick_key = 'messages'
    group by conversation_key

),

calls as (

    select
        verdicts.*,
        nullif(verdicts.drift_category, 'none') as element,
        conversations.vendor,
        conversations.url,
        conversations.started_on,
        conversations.rep_key
    from verdicts
    inner join {{ ref('fct_conversations') }} as conversations
        on verdicts.conversation_key = conversations.conversation_key
    where verdicts.approved_messaging_used is not null

),

taught as (
    {{ last_enablement('calls') }}

),

final as (

    select
        calls.conversation_key,
        calls.vendor,
        calls.url,
        calls.started_on,
        calls.rep_key,
        reps.rep_name,
        reps.team,
        calls.approved_messaging_used,
        calls.drift_category,
        taught.days_since_enablement,
        calls.drift_severity,
        calls.drift_severity_normalised,
        coalesce(messages.message_count, 0) as message_count,
        coalesce(messages.approved_message_count, 0) as approved_message_count,
        coalesce(messages.outdated_message_count, 0) as outdated_message_count,
        taught.event_id as enablement_event_id,
        taught.held_on as last_enablement_on,
        taught.document as playbook,
        taught.document_version as taught_version,
        in_force.document_version as version_in_force,
        calls.kit_version_id,
        calls.scored_at
    from calls
    left join taught
        on calls.conversation_key = taught.conversation_key
    left join messages
        on calls.conversation_key = messages.conversation_key
    left join {{ ref('dim_reps') }} as reps
        on calls.rep_key = reps.rep_key
    left join {{ ref('dim_documents') }} as in_force
        on
            taught.document = in_force.document
            and calls.started_on >= in_force.valid_from_on
            and calls.started_on < coalesce(in_force.valid_until_on, cast('9999-12-31' as date))

)

select * from final
