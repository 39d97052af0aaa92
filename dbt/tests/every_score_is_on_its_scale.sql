{{ config(severity='warn') }}

select signal_key
from {{ ref('fct_brick_values') }}
where is_off_scale
