with

source as (
    {{ reference_rows('crm_contacts') }}

),

renamed as (

    select
        contact_id,
        account_id,
        name,
        lower(email) as email,
        title
    from source

)

select * from renamed
