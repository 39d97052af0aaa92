{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['ledger', 'conversations', 'runs'],
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

ledger as (

    select * from {{ ref('stg_pipeline__ledger') }}
    where {{ is_changed('ledger') }}

),

conversations as (

    select * from {{ ref('int_conversations__unioned') }}
    where {{ is_changed() }}

),

scoring as (

    select * from {{ ref('int_conversations__scoring') }}
    where {{ is_changed() }}

),

joined as (

    select
        ledger.vendor,
        ledger.conversation_key,
        {{ utc_date('coalesce(ledger.started_at, ledger.listed_at)') }} as date_day,
        -- Listed and not tried yet is waiting, like a transcript that is not ready.
        case when ledger.status = 'listed' then 'pending' else ledger.status end as status,
        coalesce(ledger.started_at, ledger.listed_at) as started_at,
        coalesce(scoring.is_scored, false) as is_scored,
        coalesce(scoring.is_score_failed, false) as is_score_failed,
        {{ seconds_between('conversations.ended_at', 'ledger.landed_at') }} as seconds_to_landed,
        {{ seconds_between('conversations.ended_at', 'scoring.first_scored_at') }} as seconds_to_scored,
        {{ built_at() }} as built_at
    from ledger
    left join conversations
        on ledger.conversation_key = conversations.conversation_key
    left join scoring
        on ledger.conversation_key = scoring.conversation_key

)

select * from joined
