with

source as (
    {{ reference_rows('grounding_documents') }}

),

renamed as (

    select
        document || ':' || version as document_version_key,
        document,
        version,
        version_number,
        valid_from
    from source
    where valid_from <= {{ as_of() }}

)

select * from renamed
