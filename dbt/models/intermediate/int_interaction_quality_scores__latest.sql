{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__interaction_quality', 'brick_scales'],
        'kit': 'interaction_quality',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

{{ latest_scores('interaction_quality') }}
