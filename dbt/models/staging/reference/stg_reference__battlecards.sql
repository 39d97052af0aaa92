with

source as (
    {{ reference_rows('battlecards') }}

),

renamed as (

    select
        competitor || ':' || version as battlecard_key,
        competitor,
        version,
        updated_on
    from source
    where updated_on <= {{ as_of() }}

)

select * from renamed
