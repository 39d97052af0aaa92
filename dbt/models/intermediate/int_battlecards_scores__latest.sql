{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__battlecards', 'brick_scales'],
        'kit': 'battlecards',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

{{ latest_scores('battlecards') }}
