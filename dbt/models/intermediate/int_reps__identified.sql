{{ config(materialized='table') }}

with

conversations as (

    select
        vendor,
        coalesce(owner_id, owner_email) as owner_reference,
        owner_name,
        owner_email,
        started_at
    from {{ ref('int_conversations__unioned') }}
    where coalesce(owner_id, owner_email) is not null

),

-- As few rows as there are spellings of a rep, so that what follows does not sort the history.
spelled as (

    select
        vendor,
        owner_reference,
        owner_name,
        owner_email,
        count(*) as conversation_count,
        min(started_at) as first_conversation_at,
        max(started_at) as last_conversation_at
    from conversations
    group by vendor, owner_reference, owner_name, owner_email

),

-- A vendor may leave the address out of one call and give it with the next.
best_known as (

    select
        vendor,
        owner_reference,
        owner_name as rep_name,
        owner_email as rep_email
    from spelled
    qualify row_number() over (
        partition by vendor, owner_reference
        order by
            case when owner_email is null then 1 else 0 end asc,
            case when owner_name is null then 1 else 0 end asc,
            last_conversation_at desc nulls last,
            owner_email asc,
            owner_name asc
    ) = 1

),

counted as (

    select
        vendor,
        owner_reference,
        cast(sum(conversation_count) as bigint) as conversation_count,
        min(first_conversation_at) as first_conversation_at,
        max(last_conversation_at) as last_conversation_at
    from spelled
    group by vendor, owner_reference

),

identified as (

    select
        counted.vendor || ':' || counted.owner_reference as identity_key,
        counted.vendor,
        counted.owner_reference,
        coalesce(
            best_known.rep_email,
            counted.vendor || ':' || counted.owner_reference
        ) as rep_key,
        best_known.rep_name,
        best_known.rep_email,
        counted.conversation_count,
        counted.first_conversation_at,
        counted.last_conversation_at
    from counted
    inner join best_known
        on
            counted.vendor = best_known.vendor
            and counted.owner_reference = best_known.owner_reference

)

select * from identified
