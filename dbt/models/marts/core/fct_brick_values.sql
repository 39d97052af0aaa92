{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    cluster_by=['scored_on', 'vendor'],
    meta={
        'reads': ['signals', 'brick_scales'],
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

signals as (

    select * from {{ ref('int_signals__normalised') }}
    where {{ is_changed('signals') }}

),

latest as (

    select * from {{ ref('int_scores__latest') }}
    where {{ is_changed() }}

),

final as (

    select
        ---------- ids
        signals.signal_key,
        signals.run_id,
        signals.kit_name || ':' || signals.brick_key as brick_id,
        signals.brick_key,
        signals.conversation_key,
        signals.vendor,
        signals.conversation_id,
        signals.kit_code,
        signals.kit_name,
        signals.kit_version_id,
        latest.run_id is not null as is_latest,

        ---------- what Semarize said
        signals.value_type,
        signals.value_boolean,
        signals.value_number,
        signals.value_text,
        {{ json_as_text('signals.value_list') }} as value_list,
        cast(signals.value_normalised as double) as value_normalised,
        signals.is_off_scale,
        signals.confidence,
        signals.reason,
        {{ json_as_text('signals.evidence') }} as evidence,

        ---------- timestamps
        signals.scored_at,
        {{ utc_date('signals.scored_at') }} as scored_on,
        {{ built_at() }} as built_at
    from signals
    left join latest
        on
            signals.conversation_key = latest.conversation_key
            and signals.kit_name = latest.kit_name
            and signals.run_id = latest.run_id

)

select * from final
