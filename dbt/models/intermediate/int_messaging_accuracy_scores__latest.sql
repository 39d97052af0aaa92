{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__messaging_accuracy', 'brick_scales'],
        'kit': 'messaging_accuracy',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

{{ latest_scores('messaging_accuracy') }}
