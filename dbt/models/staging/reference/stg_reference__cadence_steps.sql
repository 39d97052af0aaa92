with

source as (
    {{ reference_rows('cadence_steps') }}

),

renamed as (

    select
        cadence_name || ':' || cast(step_number as varchar) as cadence_step_key,
        cadence_name,
        step_number,
        step_name,
        channel
    from source

)

select * from renamed
