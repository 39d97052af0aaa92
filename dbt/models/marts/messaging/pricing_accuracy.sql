with

verdicts as (
    {{ latest_bricks(
        'commercial_accuracy',
        numbers=['discount_percent'],
        booleans=['pricing_tier_correct', 'pricing_misstated', 'discount_authority_exceeded', 'packaging_outdated'],
        texts=['commercial_risk_level'],
    ) }}

),

second_opinions as (
    {{ latest_bricks('messaging_accuracy', booleans=['pricing_reference_correct']) }}

),

cards as (

    select
        version,
        tier,
        price_usd_per_seat_month,
        valid_from,
        lead(valid_from) over (
            partition by tier
            order by valid_from, version
        ) as valid_until
    from {{ ref('stg_reference__rate_card') }}

),

-- Every list price named, beside the one on the rate card of that day.
quoted as (

    select
        claims.conversation_key,
        in_force.version as rate_card_version,
        case
            when in_force.version is null then 'unchecked'
            when
                claims.verdict = 'accurate'
                and cited.price_usd_per_seat_month = in_force.price_usd_per_seat_month
                then 'current'
            when claims.verdict = 'accurate' and cited.valid_from <= claims.started_on then 'outdated'
            else 'off_card'
        end as quote_status,
        case
            when claims.verdict = 'accurate'
                then cited.price_usd_per_seat_month - in_force.price_usd_per_seat_month
        end as deviation_usd
    from {{ ref('fct_claims') }} as claims
    left join cards as cited
        on
            claims.area = cited.tier
            and claims.document_version = cited.version
    left join cards as in_force
        on
            claims.area = in_force.tier
            and claims.started_on >= in_force.valid_from
            and claims.started_on < coalesce(in_force.valid_until, cast('9999-12-31' as date))
    where
        claims.kit_name = 'commercial_accuracy'
        and claims.brick_key = 'quoted_prices'

),

prices as (

    select
        conversation_key,
        max(rate_card_version) as rate_card_version,
        count(*) as prices_quoted,
        count(case when quote_status = 'current' then 1 end) as prices_current,
        count(case when quote_status = 'outdated' then 1 end) as prices_outdated,
        count(case when quote_status = 'off_card' then 1 end) as prices_off_card,
        min(deviation_usd) as lowest_price_deviation_usd
    from quoted
    group by conversation_key

),

calls as (

    select
        verdicts.*,
        conversations.vendor,
        conversations.url,
        conversations.started_on,
        conversations.rep_key,
        reps.rep_name,
        reps.role,
        coalesce(reps.team, 'unknown') as team
    from verdicts
    inner join {{ ref('fct_conversations') }} as conversations
        on verdicts.conversation_key = conversations.conversation_key
    left join {{ ref('dim_reps') }} as reps
        on conversations.rep_key = reps.rep_key

),

-- What the role might grant on that day, for each length of contract.
authorities as (

    select
        calls.conversation_key,
        authority.term_years,
        authority.maximum_discount_percent
    from calls
    inner join {{ ref('stg_reference__discount_authority') }} as authority
        on
            calls.role = authority.role
            and calls.started_on >= authority.valid_from
    qualify row_number() over (
        partition by calls.conversation_key, authority.term_years
        order by authority.valid_from desc
    ) = 1

),

limits as (

    select
        conversation_key,
        min(maximum_discount_percent) as discount_limit_percent,
        max(maximum_discount_percent) as longest_term_limit_percent
    from authorities
    group by conversation_key

),

judged as (

    select
        calls.*,
        prices.rate_card_version,
        coalesce(prices.prices_quoted, 0) as prices_quoted,
        coalesce(prices.prices_current, 0) as prices_current,
        coalesce(prices.prices_outdated, 0) as prices_outdated,
        coalesce(prices.prices_off_card, 0) as prices_off_card,
        prices.lowest_price_deviation_usd,
        limits.discount_limit_percent,
        limits.longest_term_limit_percent,
        calls.pricing_tier_correct is not null
        or calls.discount_percent is not null
        or coalesce(calls.packaging_outdated, false)
        or coalesce(calls.pricing_misstated, false)
        or coalesce(calls.discount_authority_exceeded, false)
        or prices.prices_quoted is not null as has_pricing,
        -- By the limits of that day: what was within them then is not held against the rep.
        coalesce(calls.discount_authority_exceeded, false)
        and not coalesce(calls.discount_percent <= limits.discount_limit_percent, false) as is_authority_exceeded
    from calls
    left join prices
        on calls.conversation_key = prices.conversation_key
    left join limits
        on calls.conversation_key = limits.conversation_key

),

risked as (

    select
        *,
        coalesce(pricing_misstated, false)
        or not coalesce(pricing_tier_correct, true)
        or coalesce(packaging_outdated, false)
        or prices_outdated > 0
        or prices_off_card > 0
        or is_authority_exceeded as is_at_risk
    from judged

),

final as (

    select
        risked.conversation_key || ':' || risked.kit_version_id as pricing_call_key,
        risked.conversation_key,
        risked.vendor,
        risked.url,
        risked.started_on,
        risked.rep_key,
        risked.rep_name,
        risked.team,
        risked.has_pricing,
        risked.pricing_tier_correct,
        risked.pricing_misstated,
        second_opinions.pricing_reference_correct,
        risked.packaging_outdated,
        risked.rate_card_version,
        risked.prices_quoted,
        risked.prices_current,
        risked.prices_outdated,
        risked.prices_off_card,
        risked.lowest_price_deviation_usd,
        risked.discount_percent,
        risked.discount_percent_normalised,
        risked.discount_limit_percent,
        risked.longest_term_limit_percent,
        risked.discount_authority_exceeded,
        risked.is_authority_exceeded,
        coalesce(risked.commercial_risk_level, 'unknown') as commercial_risk_level,
        risked.is_at_risk,
        links.opportunity_id,
        opportunities.opportunity_name,
        opportunities.amount_usd,
        coalesce(opportunities.is_closed, false) as is_deal_closed,
        coalesce(links.is_linked, false) as is_linked,
        case when risked.is_at_risk then opportunities.amount_usd end as amount_at_risk_usd,
        risked.kit_version_id,
        second_opinions.kit_version_id as messaging_kit_version_id,
        risked.scored_at
    from risked
    left join second_opinions
        on risked.conversation_key = second_opinions.conversation_key
    left join {{ ref('bridge_conversation_opportunities') }} as links
        on risked.conversation_key = links.conversation_key
    left join {{ ref('dim_opportunities') }} as opportunities
        on links.opportunity_id = opportunities.opportunity_id

)

select * from final
