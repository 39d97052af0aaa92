{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__coaching_skills', 'brick_scales'],
        'kit': 'coaching_skills',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

{{ latest_scores('coaching_skills') }}
