{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__service_experience', 'brick_scales'],
        'kit': 'service_experience',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

{{ latest_scores('service_experience') }}
