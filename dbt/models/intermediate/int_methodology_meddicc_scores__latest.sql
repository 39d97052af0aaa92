{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__methodology_meddicc', 'brick_scales'],
        'kit': 'methodology_meddicc',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

{{ latest_scores('methodology_meddicc') }}
