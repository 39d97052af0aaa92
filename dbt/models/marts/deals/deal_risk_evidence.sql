with

flagged as (

    select
        signal_key,
        conversation_key
    from {{ ref('fct_brick_values') }}
    where
        is_latest
        and kit_name = 'deal_signals'
        and brick_key = 'risk_flag'
        and value_boolean

),

quotes as (

    select quotes.*
    from {{ ref('int_risk_quotes__spoken') }} as quotes
    inner join flagged
        on quotes.signal_key = flagged.signal_key

),

-- The participant of that name, and the CRM's contact with their address.
speakers as (

    select
        quotes.quote_key,
        contacts.contact_id,
        contacts.name as contact_name,
        coalesce(contacts.title, participants.participant_title) as title
    from quotes
    inner join {{ ref('int_conversations__participants') }} as participants
        on
            quotes.conversation_key = participants.conversation_key
            and lower(quotes.speaker) = lower(participants.participant_name)
    left join {{ ref('stg_crm__contacts') }} as contacts
        on participants.participant_email = contacts.email
    qualify row_number() over (
        partition by quotes.quote_key
        order by
            case when contacts.contact_id is null then 1 else 0 end asc,
            participants.position asc,
            contacts.contact_id asc
    ) = 1

),

final as (

    select
        quotes.quote_key as risk_quote_key,
        links.opportunity_id,
        opportunities.opportunity_name,
        opportunities.account_name,
        opportunities.owner_email,
        opportunities.stage,
        opportunities.amount_usd,
        opportunities.is_closed,
        opportunities.is_won,
        quotes.conversation_key,
        conversations.title as conversation_title,
        quotes.vendor,
        conversations.url,
        links.link_method,
        conversations.started_on,
        conversations.started_at,
        quotes.quote,
        coalesce(speakers.contact_name, quotes.speaker) as speaker_name,
        speakers.title as speaker_title,
        coalesce(quotes.speaker_role, 'unknown') as speaker_role,
        speakers.contact_id,
        speakers.contact_id is not null as is_speaker_in_crm,
        quotes.kit_version_id,
        quotes.scored_at
    from quotes
    inner join {{ ref('bridge_conversation_opportunities') }} as links
        on quotes.conversation_key = links.conversation_key
    inner join {{ ref('dim_opportunities') }} as opportunities
        on links.opportunity_id = opportunities.opportunity_id
    inner join {{ ref('fct_conversations') }} as conversations
        on quotes.conversation_key = conversations.conversation_key
    left join speakers
        on quotes.quote_key = speakers.quote_key

)

select * from final
