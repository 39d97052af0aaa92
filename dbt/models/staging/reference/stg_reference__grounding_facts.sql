with

source as (
    {{ reference_rows('grounding_facts') }}

),

renamed as (

    select
        document || ':' || version || ':' || area as fact_key,
        document,
        version,
        area,
        fact
    from source

)

select * from renamed
