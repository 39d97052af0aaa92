{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__commercial_accuracy', 'brick_scales'],
        'kit': 'commercial_accuracy',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

{{ latest_scores('commercial_accuracy') }}
