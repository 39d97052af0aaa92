with

quality as (
    {{ latest_bricks('interaction_quality') }}

),

addresses as (

    select distinct email
    from {{ ref('stg_crm__contacts') }}
    where email is not null

),

-- Everybody at the table who is not of the house; the vendors say so by the role.
people as (

    select
        participants.conversation_key,
        participants.participant_email is not null as has_address,
        addresses.email is not null as is_matched
    from {{ ref('int_conversations__participants') }} as participants
    inner join quality
        on participants.conversation_key = quality.conversation_key
    left join addresses
        on participants.participant_email = addresses.email
    where
        participants.participant_role <> 'rep'
        or participants.participant_role is null
        or addresses.email is not null

),

per_conversation as (

    select
        conversations.conversation_key,
        conversations.vendor,
        coalesce(conversations.channel, 'unknown') as channel,
        count(people.conversation_key) as participant_count,
        count(case when people.is_matched then 1 end) as matched_count,
        count(case when people.has_address and not people.is_matched then 1 end) as unknown_address_count,
        count(case when not people.has_address then 1 end) as without_address_count
    from {{ ref('fct_conversations') }} as conversations
    inner join quality
        on conversations.conversation_key = quality.conversation_key
    left join people
        on conversations.conversation_key = people.conversation_key
    group by conversations.conversation_key, conversations.vendor, coalesce(conversations.channel, 'unknown')

),

final as (

    select
        vendor || ':' || channel as matching_key,
        vendor,
        channel,
        count(*) as conversation_count,
        count(case when matched_count > 0 then 1 end) as matched_conversation_count,
        count(case when matched_count = 0 then 1 end) as unmatched_conversation_count,
        cast(sum(participant_count) as bigint) as participant_count,
        cast(sum(matched_count) as bigint) as matched_participant_count,
        cast(sum(unknown_address_count) as bigint) as unknown_address_count,
        cast(sum(without_address_count) as bigint) as without_address_count
    from per_conversation
    group by vendor, channel

)

select * from final
