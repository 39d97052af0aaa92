with

source as (
    {{ reference_rows('cadence_activities') }}

),

renamed as (

    select
        {{ conversation_key('vendor', 'conversation_id') }} as conversation_key,
        vendor,
        conversation_id,
        cadence_name,
        step_number,
        performed_on
    from source
    where performed_on <= {{ as_of() }}

)

select * from renamed
