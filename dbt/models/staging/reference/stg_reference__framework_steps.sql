with

source as (
    {{ reference_rows('framework_steps') }}

),

renamed as (

    select
        framework || ':' || cast(step_number as varchar) as framework_step_key,
        framework,
        framework_letter,
        kit_name,
        step_number,
        step,
        step_title,
        brick_key
    from source

)

select * from renamed
