{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['signals', 'utterances'],
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

quotes as (

    select * from {{ ref('stg_semarize__evidence_quotes') }}
    where
        kit_name = 'deal_signals'
        and brick_key = 'risk_flag'
        and {{ is_changed('signals') }}

),

utterances as (

    select * from {{ ref('int_utterances__texts') }}
    where {{ is_changed('utterances') }}

),

-- Whoever said it first; nobody, where the quote is not word for word in one utterance.
spoken as (

    select
        quotes.quote_key,
        utterances.position as utterance_position,
        utterances.speaker,
        utterances.speaker_role
    from quotes
    inner join utterances
        on
            quotes.conversation_key = utterances.conversation_key
            and {{ dbt.position('quotes.quote', 'utterances.utterance_text') }} > 0
    qualify row_number() over (
        partition by quotes.quote_key
        order by utterances.position
    ) = 1

),

final as (

    select
        quotes.quote_key,
        quotes.signal_key,
        quotes.conversation_key,
        quotes.vendor,
        quotes.kit_version_id,
        quotes.quote,
        spoken.utterance_position,
        spoken.speaker,
        spoken.speaker_role,
        quotes.scored_at,
        {{ built_at() }} as built_at
    from quotes
    left join spoken
        on quotes.quote_key = spoken.quote_key
    where nullif(trim(quotes.quote), '') is not null

)

select * from final
