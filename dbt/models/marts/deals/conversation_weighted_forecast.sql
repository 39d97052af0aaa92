{%- set forecast = var('forecast') %}

with

qualified as (
    {{ latest_bricks('qualification', numbers=['deal_confidence'], booleans=['champion_identified']) }}

),

at_risk as (
    {{ latest_bricks('deal_signals', booleans=['risk_flag']) }}

),

-- What the last conversation of a deal that could be judged says.
latest as (

    select
        links.opportunity_id,
        links.conversation_key,
        links.started_on,
        qualified.kit_version_id,
        qualified.deal_confidence,
        qualified.deal_confidence_normalised,
        coalesce(qualified.champion_identified, false) as champion_identified,
        coalesce(at_risk.risk_flag, false) as risk_flag
    from {{ ref('bridge_conversation_opportunities') }} as links
    inner join qualified
        on links.conversation_key = qualified.conversation_key
    left join at_risk
        on links.conversation_key = at_risk.conversation_key
    where
        links.is_linked
        and qualified.deal_confidence_normalised is not null
    qualify row_number() over (
        partition by links.opportunity_id
        order by links.started_on desc, links.conversation_key desc
    ) = 1

),

judged as (

    select
        opportunities.opportunity_id,
        opportunities.opportunity_name,
        opportunities.account_name,
        opportunities.segment,
        opportunities.stage,
        opportunities.expected_close_on,
        cast({{ dbt.date_trunc('month', 'opportunities.expected_close_on') }} as date) as forecast_month,
        opportunities.amount_usd,
        opportunities.stage_win_probability,
        latest.conversation_key,
        latest.started_on as last_judged_on,
        latest.kit_version_id,
        latest.deal_confidence,
        latest.deal_confidence_normalised,
        latest.champion_identified,
        latest.risk_flag,
        opportunities.stage_win_probability
        + coalesce(
            {{ forecast['confidence_weight'] }} * (latest.deal_confidence_normalised - 0.5)
            + case when latest.champion_identified then {{ forecast['champion_points'] }} else 0 end
            - case when latest.risk_flag then {{ forecast['risk_points'] }} else 0 end,
            0
        ) as adjusted_probability
    from {{ ref('dim_opportunities') }} as opportunities
    left join latest
        on opportunities.opportunity_id = latest.opportunity_id
    where not opportunities.is_closed

),

bounded as (

    select
        *,
        cast(
            case
                when adjusted_probability < 0 then 0
                when adjusted_probability > 1 then 1
                else adjusted_probability
            end as double
        ) as conversation_win_probability
    from judged

),

final as (

    select
        opportunity_id,
        opportunity_name,
        account_name,
        segment,
        stage,
        forecast_month,
        expected_close_on,
        amount_usd,
        stage_win_probability,
        amount_usd * stage_win_probability as crm_weighted_amount_usd,
        conversation_win_probability,
        amount_usd * conversation_win_probability as conversation_weighted_amount_usd,
        amount_usd * (conversation_win_probability - stage_win_probability) as difference_usd,
        conversation_key is not null as is_judged,
        conversation_key,
        last_judged_on,
        kit_version_id,
        deal_confidence,
        deal_confidence_normalised,
        champion_identified,
        risk_flag
    from bounded

)

select * from final
