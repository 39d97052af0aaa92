with

conversations as (

    select * from {{ ref('int_pipeline__conversations') }}

),

final as (

    select
        ---------- ids
        conversation_key,
        vendor,
        conversation_id,
        date_day,

        ---------- where it stands, and why
        state,
        reason,
        cast(tries as bigint) as tries,

        ---------- timestamps
        started_at,
        listed_at,
        landed_at,
        next_try_at
    from conversations

)

select * from final
