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

-- Why a transcript was not sent to be scored at all.
refusals as (

    select
        conversation_key,
        reason
    from {{ ref('stg_pipeline__quarantine') }}
    where stage = 'score'
    qualify row_number() over (
        partition by conversation_key
        order by quarantined_at desc, quarantine_id desc
    ) = 1

),

joined as (

    select
        ledger.vendor,
        ledger.conversation_key,
        ledger.conversation_id,
        {{ utc_date('coalesce(ledger.started_at, ledger.listed_at)') }} as date_day,
        -- Listed and not tried yet is waiting, like a transcript that is not ready.
        case when ledger.status = 'listed' then 'pending' else ledger.status end as status,
        ledger.score_status,
        ledger.reason,
        ledger.tries,
        coalesce(ledger.started_at, ledger.listed_at) as started_at,
        ledger.listed_at,
        ledger.landed_at,
        ledger.next_try_at,
        coalesce(scoring.is_scored, false) as is_scored,
        coalesce(scoring.is_score_failed, false) as is_score_failed,
        scoring.last_error_code,
        refusals.reason as refused_reason,
        {{ seconds_between('conversations.ended_at', 'ledger.landed_at') }} as seconds_to_landed,
        {{ seconds_between('conversations.ended_at', 'scoring.first_scored_at') }} as seconds_to_scored,
        {{ built_at() }} as built_at
    from ledger
    left join conversations
        on ledger.conversation_key = conversations.conversation_key
    left join scoring
        on ledger.conversation_key = scoring.conversation_key
    left join refusals
        on ledger.conversation_key = refusals.conversation_key
    -- The name of a record that was read later, under an id of its own: it counts there.
    where ledger.status <> 'replayed'

),

-- One state for each, so that the states add up to what was listed.
judged as (

    select
        *,
        case
            when status <> 'landed' then status
            when is_scored then 'scored'
            when score_status = 'due' then 'awaiting_score'
            else 'unscored'
        end as state
    from joined

),

final as (

    select
        vendor,
        conversation_key,
        conversation_id,
        date_day,
        status,
        state,
        case
            when state = 'pending' then coalesce(reason, 'listed, and not tried yet')
            when status <> 'landed' then coalesce(reason, status)
            when state = 'awaiting_score' and is_score_failed then 'tried again after ' || coalesce(last_error_code, 'a failure')
            when state = 'awaiting_score' then 'its runs are not through'
            when state = 'unscored' and is_score_failed then coalesce(last_error_code, 'its last run failed')
            when state = 'unscored' and score_status = 'unasked' then 'a backfill landed it, and no live kit is asked'
            when state = 'unscored' and score_status is null then 'no kit is configured for this vendor'
            when state = 'unscored' then coalesce(refused_reason, last_error_code, score_status)
        end as reason,
        tries,
        started_at,
        listed_at,
        landed_at,
        next_try_at,
        is_scored,
        is_score_failed,
        seconds_to_landed,
        seconds_to_scored,
        built_at
    from judged

)

select * from final
