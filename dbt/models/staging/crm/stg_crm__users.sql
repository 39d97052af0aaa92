with

source as (
    {{ reference_states('crm_users') }}

),

renamed as (

    select
        user_id,
        name,
        lower(email) as email,
        vendor,
        vendor_user_id,
        role,
        team,
        manager,
        territory,
        hired_on,
        left_on,
        known_from
    from source
    where {{ is_known_then() }}

)

select * from renamed
