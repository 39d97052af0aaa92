with

source as (
    {{ reference_rows('battlecard_claims') }}

),

renamed as (

    select
        competitor || ':' || claim as battlecard_claim_key,
        competitor,
        claim,
        known_by,
        verdict,
        since_version
    from source

)

select * from renamed
