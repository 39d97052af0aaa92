{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['utterances'],
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

utterances as (

    select * from {{ ref('int_utterances__unioned') }}
    where {{ is_changed('utterances') }}

),

summed as (

    select
        conversation_key,
        vendor,
        conversation_id,
        count(*) as utterance_count,
        count(distinct speaker) as speaker_count,
        count(case when speaker_role = 'rep' then 1 end) as rep_utterance_count,
        count(case when speaker_role = 'customer' then 1 end) as customer_utterance_count,
        sum(spoken_seconds) as spoken_seconds,
        sum(case when speaker_role = 'rep' then spoken_seconds end) as rep_spoken_seconds,
        sum(case when speaker_role = 'customer' then spoken_seconds end) as customer_spoken_seconds,
        max(spoken_seconds) as longest_utterance_seconds
    from utterances
    group by conversation_key, vendor, conversation_id

),

shared_out as (

    select
        *,
        -- Unknown voices count for neither side, and one side alone makes no ratio.
        rep_spoken_seconds
        / nullif(rep_spoken_seconds + customer_spoken_seconds, 0) as rep_talk_share,
        {{ built_at() }} as built_at
    from summed

)

select * from shared_out
