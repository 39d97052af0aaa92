with

source as (
    {{ reference_rows('rate_card') }}

),

renamed as (

    select
        version || ':' || tier as rate_card_key,
        version,
        tier,
        price_usd_per_seat_month,
        valid_from
    from source
    where valid_from <= {{ as_of() }}

)

select * from renamed
