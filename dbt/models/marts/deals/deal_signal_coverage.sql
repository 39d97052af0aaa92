with

seen as (
    {{ deal_signals_seen() }}

),

first_seen as (

    select
        opportunity_id,
        signal,
        conversation_key,
        vendor,
        started_on,
        kit_version_id,
        count(*) over (partition by opportunity_id, signal) as conversation_count
    from seen
    qualify row_number() over (
        partition by opportunity_id, signal
        order by started_on asc, conversation_key asc
    ) = 1

),

expected as (

    select
        opportunities.opportunity_id,
        opportunities.opportunity_name,
        opportunities.account_name,
        opportunities.stage,
        opportunities.is_closed,
        opportunities.is_won,
        signals.signal,
        signals.signal_title
    from {{ ref('dim_opportunities') }} as opportunities
    inner join {{ ref('stg_reference__qualification_signals') }} as signals
        on opportunities.deal_type = signals.deal_type
    where signals.counts_for_coverage

),

final as (

    select
        expected.opportunity_id || ':' || expected.signal as deal_signal_key,
        expected.opportunity_id,
        expected.opportunity_name,
        expected.account_name,
        expected.stage,
        expected.is_closed,
        expected.is_won,
        expected.signal,
        expected.signal_title,
        first_seen.signal is not null as is_present,
        first_seen.started_on as first_seen_on,
        first_seen.vendor as first_seen_vendor,
        first_seen.conversation_key as first_seen_conversation_key,
        first_seen.kit_version_id,
        coalesce(first_seen.conversation_count, 0) as conversation_count,
        count(first_seen.signal) over (partition by expected.opportunity_id) as signals_present,
        count(*) over (partition by expected.opportunity_id) as signals_expected,
        cast(count(first_seen.signal) over (partition by expected.opportunity_id) as double)
        / count(*) over (partition by expected.opportunity_id) as coverage_share
    from expected
    left join first_seen
        on
            expected.opportunity_id = first_seen.opportunity_id
            and expected.signal = first_seen.signal

)

select * from final
