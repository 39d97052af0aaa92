{%- set audit = var('cadence_audit') %}
{%- set error = standard_error('overall_score_normalised') %}

with

quality as (
    {{ latest_bricks('deal_signals', numbers=['overall_score']) }}

),

verdicts as (
    {{ latest_bricks('messaging_accuracy', booleans=['competitor_pricing_leaked']) }}

),

activities as (

    select * from {{ ref('stg_reference__cadence_activities') }}

),

steps as (

    select * from {{ ref('dim_cadence_steps') }}

),

-- Where calls may belong to a cadence at all; elsewhere a call without a step is nothing amiss.
platforms as (

    select distinct vendor from activities

),

-- A call of a step that no cadence has is as unlinked as one without an activity.
scored as (

    select
        quality.conversation_key,
        steps.cadence_step_key,
        activities.performed_on,
        quality.kit_version_id as deal_signals_kit_version_id,
        verdicts.kit_version_id as messaging_accuracy_kit_version_id,
        quality.overall_score,
        quality.overall_score_normalised,
        verdicts.competitor_pricing_leaked as is_violation
    from quality
    inner join verdicts
        on quality.conversation_key = verdicts.conversation_key
    inner join {{ ref('fct_conversations') }} as conversations
        on quality.conversation_key = conversations.conversation_key
    inner join platforms
        on conversations.vendor = platforms.vendor
    left join activities
        on quality.conversation_key = activities.conversation_key
    left join steps
        on
            activities.cadence_name = steps.cadence_name
            and activities.step_number = steps.step_number
    where
        quality.overall_score is not null
        and verdicts.competitor_pricing_leaked is not null

),

unlinked as (

    select count(*) as calls_unlinked
    from scored
    where cadence_step_key is null

),

summed as (

    select
        cadence_step_key,
        deal_signals_kit_version_id,
        messaging_accuracy_kit_version_id,
        count(*) as calls,
        avg(overall_score) as quality_score,
        avg(overall_score_normalised) as quality_score_normalised,
        {{ mean_lower('avg(overall_score_normalised)', error, 'count(overall_score_normalised)') }} as quality_score_normalised_lower,
        {{ mean_upper('avg(overall_score_normalised)', error, 'count(overall_score_normalised)') }} as quality_score_normalised_upper,
        count(case when is_violation then 1 end) as violations,
        min(performed_on) as first_call_on,
        max(performed_on) as last_call_on
    from scored
    where cadence_step_key is not null
    group by cadence_step_key, deal_signals_kit_version_id, messaging_accuracy_kit_version_id

),

-- A step without a scored call is listed too, so that a gap shows.
audited as (

    select
        steps.cadence_step_key,
        steps.cadence_name,
        steps.cadence,
        steps.cadence_version,
        steps.step_number,
        steps.step_name,
        steps.channel,
        summed.deal_signals_kit_version_id,
        summed.messaging_accuracy_kit_version_id,
        coalesce(summed.calls, 0) as calls,
        summed.quality_score,
        summed.quality_score_normalised,
        summed.quality_score_normalised_lower,
        summed.quality_score_normalised_upper,
        coalesce(summed.violations, 0) as violations,
        cast(summed.violations as double) / summed.calls as violation_share,
        summed.first_call_on,
        summed.last_call_on
    from steps
    left join summed
        on steps.cadence_step_key = summed.cadence_step_key

),

final as (

    select
        audited.cadence_step_key || ':' || coalesce(audited.deal_signals_kit_version_id, 'none')
        || ':' || coalesce(audited.messaging_accuracy_kit_version_id, 'none') as step_audit_key,
        audited.cadence_step_key,
        audited.cadence_name,
        audited.cadence,
        audited.cadence_version,
        audited.step_number,
        audited.step_name,
        audited.channel,
        audited.deal_signals_kit_version_id,
        audited.messaging_accuracy_kit_version_id,
        audited.calls,
        round(audited.quality_score, 6) as quality_score,
        round(audited.quality_score_normalised, 6) as quality_score_normalised,
        round(audited.quality_score_normalised_lower, 6) as quality_score_normalised_lower,
        round(audited.quality_score_normalised_upper, 6) as quality_score_normalised_upper,
        audited.violations,
        round(audited.violation_share, 6) as violation_share,
        round({{ wilson_lower('audited.violations', 'audited.calls') }}, 6) as violation_share_lower,
        round({{ wilson_upper('audited.violations', 'audited.calls') }}, 6) as violation_share_upper,
        case
            when audited.calls < {{ audit['minimum_calls'] }} then 'not_enough_data'
            when audited.violation_share >= {{ audit['rewrite_from_share'] }} then 'rewrite_recommended'
            when audited.violation_share >= {{ audit['watch_from_share'] }} then 'watch'
            else 'clean'
        end as recommendation,
        audited.first_call_on,
        audited.last_call_on,
        unlinked.calls_unlinked
    from audited
    cross join unlinked

)

select * from final
