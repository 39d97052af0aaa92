{{ config(severity='warn') }}

select brick_id
from {{ ref('dim_bricks') }}
where
    value_type in ('number', 'float', 'integer', 'score')
    and scale_minimum is null
