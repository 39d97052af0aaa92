with

seen as (
    {{ deal_signals_seen() }}

),

present as (

    select distinct
        opportunity_id,
        signal
    from seen
    where counts_for_readiness

),

contacts as (

    select
        opportunity_id,
        count(*) as conversation_count,
        max(started_on) as last_contact_on
    from {{ ref('bridge_conversation_opportunities') }}
    where is_linked
    group by opportunity_id

),

items as (

    select
        opportunities.opportunity_id,
        signals.signal,
        signals.signal_title,
        signals.readiness_weight,
        present.signal is not null as is_present
    from {{ ref('dim_opportunities') }} as opportunities
    inner join {{ ref('stg_reference__qualification_signals') }} as signals
        on opportunities.deal_type = signals.deal_type
    left join present
        on
            opportunities.opportunity_id = present.opportunity_id
            and signals.signal = present.signal
    where
        not opportunities.is_closed
        and signals.counts_for_readiness

),

weighed as (

    select
        opportunity_id,
        count(*) as items_expected,
        count(case when is_present then 1 end) as items_present,
        sum(case when is_present then readiness_weight else 0 end) / nullif(sum(readiness_weight), 0) as readiness_share
    from items
    group by opportunity_id

),

-- What is missing and weighs most; of equals, the first in the alphabet.
next_items as (

    select
        opportunity_id,
        signal,
        signal_title
    from items
    where not is_present
    qualify row_number() over (
        partition by opportunity_id
        order by readiness_weight desc, signal asc
    ) = 1

),

final as (

    select
        opportunities.opportunity_id,
        opportunities.opportunity_name,
        opportunities.account_name,
        opportunities.owner_email,
        opportunities.segment,
        opportunities.stage,
        opportunities.stage_number,
        opportunities.amount_usd,
        opportunities.expected_close_on,
        weighed.readiness_share,
        weighed.items_present,
        weighed.items_expected,
        next_items.signal as next_signal,
        next_items.signal_title as next_signal_title,
        coalesce(contacts.conversation_count, 0) as conversation_count,
        contacts.last_contact_on,
        cast({{ dbt.datediff('contacts.last_contact_on', as_of(), 'day') }} as bigint) as days_since_last_contact
    from weighed
    inner join {{ ref('dim_opportunities') }} as opportunities
        on weighed.opportunity_id = opportunities.opportunity_id
    left join next_items
        on weighed.opportunity_id = next_items.opportunity_id
    left join contacts
        on weighed.opportunity_id = contacts.opportunity_id

)

select * from final
