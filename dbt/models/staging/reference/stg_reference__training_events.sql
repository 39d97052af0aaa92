with

source as (
    {{ reference_rows('training_events') }}

),

renamed as (

    select
        event_id,
        user_id,
        lower(user_email) as user_email,
        skill,
        held_on
    from source
    where held_on <= {{ as_of() }}

)

select * from renamed
