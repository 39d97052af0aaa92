with

signals as (

    select * from {{ ref('stg_semarize__signals') }}

),

scales as (

    select * from {{ ref('brick_scales') }}

),

-- As few rows as there are versions and types, so that what follows does not sort the history.
summed as (

    select
        kit_name,
        brick_key,
        kit_version_id,
        value_type,
        count(*) as value_count,
        max(scored_at) as last_scored_at
    from signals
    group by kit_name, brick_key, kit_version_id, value_type

),

seen as (

    select
        kit_name,
        brick_key,
        value_type
    from summed
    qualify row_number() over (
        partition by kit_name, brick_key
        order by last_scored_at desc nulls last, kit_version_id desc, value_type asc
    ) = 1

),

counted as (

    select
        kit_name,
        brick_key,
        cast(sum(value_count) as bigint) as value_count,
        max(last_scored_at) as last_scored_at
    from summed
    group by kit_name, brick_key

),

-- A declared brick that was never scored is listed too, so that a gap shows.
bricks as (

    select
        kit_name,
        brick_key
    from seen

    union distinct

    select
        kit_name,
        brick_key
    from scales

),

final as (

    select
        bricks.kit_name || ':' || bricks.brick_key as brick_id,
        bricks.kit_name,
        bricks.brick_key,
        seen.value_type,
        cast(scales.scale_minimum as double) as scale_minimum,
        cast(scales.scale_maximum as double) as scale_maximum,
        scales.higher_is_better,
        scales.meaning,
        coalesce(counted.value_count, 0) as value_count,
        counted.last_scored_at
    from bricks
    left join seen
        on
            bricks.kit_name = seen.kit_name
            and bricks.brick_key = seen.brick_key
    left join counted
        on
            bricks.kit_name = counted.kit_name
            and bricks.brick_key = counted.brick_key
    left join scales
        on
            bricks.kit_name = scales.kit_name
            and bricks.brick_key = scales.brick_key

)

select * from final
