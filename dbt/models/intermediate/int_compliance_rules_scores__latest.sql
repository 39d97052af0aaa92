{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__compliance_rules', 'brick_scales'],
        'kit': 'compliance_rules',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

{{ latest_scores('compliance_rules') }}
