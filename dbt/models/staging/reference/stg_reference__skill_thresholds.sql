with

source as (
    {{ reference_rows('skill_thresholds') }}

),

renamed as (

    select
        skill,
        kit_name,
        brick_key,
        alert_below,
        alert_after_calls,
        ramp_percent,
        ramp_week
    from source

)

select * from renamed
