{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__agent_wellbeing', 'brick_scales'],
        'kit': 'agent_wellbeing',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

{{ latest_scores('agent_wellbeing') }}
