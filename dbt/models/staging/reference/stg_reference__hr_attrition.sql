with

source as (
    {{ reference_rows('hr_attrition') }}

),

renamed as (

    select
        user_id,
        vendor,
        vendor_user_id,
        left_on,
        reason
    from source
    where left_on <= {{ as_of() }}

)

select * from renamed
