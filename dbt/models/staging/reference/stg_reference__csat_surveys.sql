with

source as (
    {{ reference_rows('csat_surveys') }}

),

renamed as (

    select
        {{ conversation_key('vendor', 'conversation_id') }} as conversation_key,
        vendor,
        conversation_id,
        score_of_five,
        answered_on
    from source
    where answered_on <= {{ as_of() }}

)

select * from renamed
