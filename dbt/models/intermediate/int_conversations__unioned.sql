{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['conversations'],
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

unioned as (
    {{ union_vendors('conversations', conversation_columns()) }}

)

select
    *,
    {{ built_at() }} as built_at
from unioned
where {{ is_changed('conversations') }}
