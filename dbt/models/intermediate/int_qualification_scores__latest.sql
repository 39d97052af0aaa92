{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__qualification', 'brick_scales'],
        'kit': 'qualification',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

{{ latest_scores('qualification') }}
