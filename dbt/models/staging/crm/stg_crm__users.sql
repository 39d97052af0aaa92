with

source as (
    {{ reference_rows('crm_users') }}

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
    where
        known_from <= {{ as_of() }}
        and (known_until is null or known_until > {{ as_of() }})

)

select * from renamed
