with

source as (
    {{ reference_rows('enablement_events') }}

),

renamed as (

    select
        event_id,
        team,
        topic,
        held_on,
        document,
        document_version
    from source
    where held_on <= {{ as_of() }}

)

select * from renamed
