with

identities as (

    select * from {{ ref('int_reps__identified') }}

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
        counted.vendor_count,
        counted.conversation_count,
        counted.first_conversation_at,
        counted.last_conversation_at
    from counted
    inner join names
        on counted.rep_key = names.rep_key

)

select * from final
