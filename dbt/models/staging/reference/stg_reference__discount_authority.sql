with

source as (
    {{ reference_rows('discount_authority') }}

),

renamed as (

    select
        role || ':' || cast(term_years as varchar) as discount_authority_key,
        role,
        term_years,
        maximum_discount_percent,
        valid_from
    from source
    where valid_from <= {{ as_of() }}

)

select * from renamed
