with

signals as (

    select * from {{ ref('stg_semarize__signals') }}

),

versions as (

    select
        kit_version_id,
        -- One version belongs to one kit; max() only keeps the row count honest.
        max(kit_code) as kit_code,
        max(kit_name) as kit_name,
        count(distinct run_id) as run_count,
        count(distinct conversation_key) as conversation_count,
        count(distinct brick_key) as brick_count,
        min(scored_at) as first_scored_at,
        max(scored_at) as last_scored_at
    from signals
    group by kit_version_id

),

final as (

    select
        *,
        row_number() over (
            partition by kit_name
            order by first_scored_at, kit_version_id
        ) as version_number,
        row_number() over (
            partition by kit_name
            order by first_scored_at desc, kit_version_id desc
        ) = 1 as is_newest_version
    from versions

)

select * from final
