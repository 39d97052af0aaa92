with

identities as (

    select * from {{ ref('int_reps__identified') }}

),

users as (

    select * from {{ ref('stg_crm__users') }}

),

names as (

    select
        rep_key,
        rep_name,
        rep_email
    from identities
    qualify row_number() over (
        partition by rep_key
        order by
            case when rep_name is null then 1 else 0 end asc,
            last_conversation_at desc nulls last,
            identity_key asc
    ) = 1

),

-- By the vendor's own id, else by the address; of several employments, the one that began last.
employments as (

    select
        identities.rep_key,
        users.user_id,
        users.role,
        users.team,
        users.manager,
        users.territory,
        users.hired_on,
        users.left_on
    from identities
    inner join users
        on
            (
                identities.vendor = users.vendor
                and identities.owner_reference = users.vendor_user_id
            )
            or identities.rep_email = users.email
    qualify row_number() over (
        partition by identities.rep_key
        order by
            users.hired_on desc nulls last,
            case when identities.owner_reference = users.vendor_user_id then 0 else 1 end asc,
            users.user_id asc
    ) = 1

),

counted as (

    select
        rep_key,
        count(distinct vendor) as vendor_count,
        cast(sum(conversation_count) as bigint) as conversation_count,
        min(first_conversation_at) as first_conversation_at,
        max(last_conversation_at) as last_conversation_at
    from identities
    group by rep_key

),

final as (

    select
        counted.rep_key,
        names.rep_name,
        names.rep_email,
        employments.user_id,
        employments.role,
        employments.team,
        employments.manager,
        employments.territory,
        employments.hired_on,
        employments.left_on,
        counted.vendor_count,
        counted.conversation_count,
        counted.first_conversation_at,
        counted.last_conversation_at
    from counted
    inner join names
        on counted.rep_key = names.rep_key
    left join employments
        on counted.rep_key = employments.rep_key

)

select * from final
