with

source as (
    {{ reference_states('crm_opportunities') }}

),

renamed as (

    select
        opportunity_id,
        account_id,
        owner_user_id,
        lower(owner_email) as owner_email,
        name,
        product,
        deal_type,
        segment,
        stage,
        amount_usd,
        seats,
        is_closed,
        is_won,
        created_on,
        expected_close_on,
        closed_on,
        known_from
    from source
    where {{ is_known_then() }}

)

select * from renamed
