with

source as (
    {{ reference_rows('cadences') }}

),

renamed as (

    select
        cadence_name,
        cadence,
        version,
        source,
        step_count
    from source

)

select * from renamed
