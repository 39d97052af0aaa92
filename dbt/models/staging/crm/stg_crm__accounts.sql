with

source as (
    {{ reference_rows('crm_accounts') }}

),

renamed as (

    select
        account_id,
        name,
        domain,
        territory,
        state,
        segment,
        industry,
        service_customer_id
    from source

)

select * from renamed
