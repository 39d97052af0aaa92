{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__deal_signals', 'brick_scales'],
        'kit': 'deal_signals',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

{{ latest_scores('deal_signals') }}
