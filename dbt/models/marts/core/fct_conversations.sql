{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    cluster_by=['started_on', 'vendor'],
    meta={
        'reads': ['conversations', 'utterances', 'ledger', 'runs'],
        'also': 'conversations_of_another_rep',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

conversations as (

    select * from {{ ref('int_conversations__unioned') }}
    where {{ is_changed() }}

),

talk_time as (

    select * from {{ ref('int_conversations__talk_time') }}
    where {{ is_changed() }}

),

ledger as (

    select * from {{ ref('stg_pipeline__ledger') }}
    where {{ is_changed('ledger') }}

),

scoring as (

    select * from {{ ref('int_conversations__scoring') }}
    where {{ is_changed() }}

),

reps as (

    select * from {{ ref('int_reps__identified') }}

),

final as (

    select
        ---------- ids
        conversations.conversation_key,
        conversations.vendor,
        conversations.conversation_id,
        conversations.owner_id,
        reps.rep_key,
        conversations.opportunity_id,

        ---------- what it was
        conversations.title,
        conversations.channel,
        conversations.direction,
        conversations.account_name,
        conversations.url,
        {%- for dimension in shared_dimensions() %}
        conversations.{{ dimension }},
        {%- endfor %}

        ---------- where it stands
        conversations.transcript_status,
        ledger.status as ledger_status,
        coalesce(ledger.status = 'deleted', false) as is_deleted,
        coalesce(scoring.is_scored, false) as is_scored,
        coalesce(scoring.is_score_failed, false) as is_score_failed,
        coalesce(scoring.kit_count, 0) as kit_count,
        coalesce(scoring.paid_run_count, 0) as paid_run_count,

        ---------- what was said, in numbers
        conversations.participant_count,
        coalesce(talk_time.utterance_count, 0) as utterance_count,
        coalesce(talk_time.speaker_count, 0) as speaker_count,
        talk_time.spoken_seconds,
        talk_time.rep_spoken_seconds,
        talk_time.customer_spoken_seconds,
        talk_time.rep_talk_share,
        talk_time.longest_utterance_seconds,

        ---------- timestamps and durations
        {{ utc_date('conversations.started_at') }} as started_on,
        conversations.started_at,
        conversations.ended_at,
        conversations.duration_seconds,
        ledger.landed_at,
        scoring.first_scored_at,
        scoring.last_scored_at,
        {{ seconds_between('conversations.ended_at', 'ledger.landed_at') }} as seconds_to_landed,
        {{ seconds_between('conversations.ended_at', 'scoring.first_scored_at') }} as seconds_to_scored,
        {{ built_at() }} as built_at
    from conversations
    left join talk_time
        on conversations.conversation_key = talk_time.conversation_key
    left join ledger
        on conversations.conversation_key = ledger.conversation_key
    left join scoring
        on conversations.conversation_key = scoring.conversation_key
    left join reps
        on
            conversations.vendor = reps.vendor
            and coalesce(conversations.owner_id, conversations.owner_email) = reps.owner_reference

)

select * from final
