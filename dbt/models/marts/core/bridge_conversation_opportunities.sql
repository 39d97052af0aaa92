{{ config(meta={'why_a_table': 'deals, contacts and accounts change without a conversation landing'}) }}

with

conversations as (

    select * from {{ ref('fct_conversations') }}

),

opportunities as (

    select * from {{ ref('stg_crm__opportunities') }}

),

accounts as (

    select * from {{ ref('stg_crm__accounts') }}

),

contacts as (

    select * from {{ ref('stg_crm__contacts') }}

),

participants as (

    select * from {{ ref('int_conversations__participants') }}

),

by_id as (

    select
        conversations.conversation_key,
        opportunities.account_id,
        opportunities.opportunity_id,
        'opportunity_id' as link_method,
        1 as preference
    from conversations
    inner join opportunities
        on conversations.opportunity_id = opportunities.opportunity_id

),

-- The accounts that a conversation may belong to, by the surest sign first.
candidates as (

    select
        participants.conversation_key,
        contacts.account_id,
        'contact_email' as link_method,
        2 as preference
    from participants
    inner join contacts
        on participants.participant_email = contacts.email

    union all

    select
        participants.conversation_key,
        accounts.account_id,
        'email_domain' as link_method,
        3 as preference
    from participants
    inner join accounts
        on split_part(participants.participant_email, '@', 2) = lower(accounts.domain)

    union all

    select
        conversations.conversation_key,
        accounts.account_id,
        'account_name' as link_method,
        4 as preference
    from conversations
    inner join accounts
        on lower(conversations.account_name) = lower(accounts.name)

),

accounts_named as (

    select
        conversation_key,
        account_id,
        link_method,
        preference
    from candidates
    qualify row_number() over (
        partition by conversation_key
        order by preference, account_id
    ) = 1

),

-- The deal that was open on the day; of several, the one that was opened last.
by_account as (

    select
        accounts_named.conversation_key,
        accounts_named.account_id,
        opportunities.opportunity_id,
        accounts_named.link_method,
        accounts_named.preference,
        count(opportunities.opportunity_id) over (
            partition by accounts_named.conversation_key
        ) as open_opportunity_count
    from accounts_named
    inner join conversations
        on accounts_named.conversation_key = conversations.conversation_key
    left join opportunities
        on
            accounts_named.account_id = opportunities.account_id
            and conversations.started_on >= opportunities.created_on
            and conversations.started_on <= coalesce(opportunities.closed_on, conversations.started_on)
    qualify row_number() over (
        partition by accounts_named.conversation_key
        order by opportunities.created_on desc nulls last, opportunities.opportunity_id asc
    ) = 1

),

final as (

    select
        conversations.conversation_key,
        conversations.vendor,
        conversations.started_on,
        coalesce(by_id.opportunity_id, by_account.opportunity_id) as opportunity_id,
        coalesce(by_id.account_id, by_account.account_id) as account_id,
        case
            when by_id.opportunity_id is not null then by_id.link_method
            when by_account.opportunity_id is not null then by_account.link_method
            else 'unlinked'
        end as link_method,
        coalesce(by_id.opportunity_id, by_account.opportunity_id) is not null as is_linked,
        case
            when by_id.opportunity_id is not null then 1
            else coalesce(by_account.open_opportunity_count, 0)
        end as candidate_count
    from conversations
    left join by_id
        on conversations.conversation_key = by_id.conversation_key
    left join by_account
        on conversations.conversation_key = by_account.conversation_key

)

select * from final
