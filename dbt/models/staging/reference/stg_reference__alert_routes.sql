with

source as (
    {{ reference_rows('alert_routes') }}

),

renamed as (

    select
        rule,
        rule_title,
        kit_name,
        brick_key,
        alert_below,
        score_brick_key,
        recipient,
        team
    from source

)

select * from renamed
