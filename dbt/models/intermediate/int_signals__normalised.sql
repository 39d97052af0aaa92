with

signals as (

    select * from {{ ref('stg_semarize__signals') }}

),

scales as (

    select * from {{ ref('brick_scales') }}

),

scaled as (

    select
        signals.*,
        scales.scale_minimum,
        scales.scale_maximum,
        case
            when signals.value_boolean then 1.0
            when not signals.value_boolean then 0.0
            else {{ normalised('signals.value_number', 'scales.scale_minimum', 'scales.scale_maximum') }}
        end as value_normalised,
        coalesce(
            signals.value_number < scales.scale_minimum
            or signals.value_number > scales.scale_maximum,
            false
        ) as is_off_scale
    from signals
    left join scales
        on
            signals.kit_name = scales.kit_name
            and signals.brick_key = scales.brick_key

)

select * from scaled
