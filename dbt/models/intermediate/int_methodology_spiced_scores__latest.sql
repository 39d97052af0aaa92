{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__methodology_spiced', 'brick_scales'],
        'kit': 'methodology_spiced',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

{{ latest_scores('methodology_spiced') }}
