with

source as (
    {{ reference_rows('certification_rubrics') }}

),

renamed as (

    select
        rubric_version || ':' || skill as rubric_skill_key,
        rubric_version,
        skill,
        skill_title,
        kit_name,
        brick_key,
        threshold_percent,
        calls_needed,
        valid_from
    from source
    where valid_from <= {{ as_of() }}

)

select * from renamed
