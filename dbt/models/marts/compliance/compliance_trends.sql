with

verdicts as (

    select
        conversation_key,
        brick_key,
        kit_version_id,
        value_text as verdict
    from {{ ref('fct_brick_values') }}
    where
        is_latest
        and kit_name = 'compliance_rules'
        and value_text in ('pass', 'fail')

),

measures as (
    {{ latest_bricks('compliance_rules', numbers=['disclosure_compliance', 'prohibited_phrases'], booleans=['evidence_linked'], texts=['framework_version']) }}

),

rules as (

    select distinct
        framework,
        framework_version,
        rule,
        rule_title,
        brick_key
    from {{ ref('stg_reference__compliance_rules') }}
    where
        is_custom
        and is_checked

),

checked as (

    select
        rules.framework,
        rules.framework_version,
        rules.rule,
        rules.rule_title,
        cast({{ dbt.date_trunc('week', 'conversations.started_on') }} as date) as week_start,
        coalesce(reps.team, 'unknown') as team,
        coalesce(accounts.state, 'unknown') as jurisdiction,
        verdicts.kit_version_id,
        verdicts.verdict,
        measures.disclosure_compliance,
        measures.disclosure_compliance_normalised,
        measures.prohibited_phrases,
        measures.evidence_linked
    from verdicts
    inner join measures
        on verdicts.conversation_key = measures.conversation_key
    inner join {{ ref('fct_conversations') }} as conversations
        on verdicts.conversation_key = conversations.conversation_key
    inner join rules
        on
            verdicts.brick_key = rules.brick_key
            and measures.framework_version = rules.framework_version
    left join {{ ref('dim_reps') }} as reps
        on conversations.rep_key = reps.rep_key
    left join {{ ref('bridge_conversation_opportunities') }} as links
        on verdicts.conversation_key = links.conversation_key
    left join {{ ref('dim_accounts') }} as accounts
        on links.account_id = accounts.account_id

),

summed as (

    select
        framework,
        framework_version,
        rule,
        max(rule_title) as rule_title,
        week_start,
        team,
        jurisdiction,
        kit_version_id,
        count(*) as conversation_count,
        count(case when verdict = 'pass' then 1 end) as conversations_passed,
        avg(disclosure_compliance) as disclosure_compliance,
        avg(disclosure_compliance_normalised) as disclosure_compliance_normalised,
        sum(prohibited_phrases) as prohibited_phrases,
        count(case when evidence_linked then 1 end) as conversations_evidence_linked
    from checked
    group by framework, framework_version, rule, week_start, team, jurisdiction, kit_version_id

),

final as (

    select
        framework || ':' || framework_version || ':' || rule || ':' || cast(week_start as varchar) || ':' || team
        || ':' || jurisdiction || ':' || kit_version_id as compliance_trend_key,
        framework,
        framework_version,
        rule,
        rule_title,
        week_start,
        team,
        jurisdiction,
        kit_version_id,
        conversation_count,
        conversations_passed,
        cast(conversations_passed as double) / conversation_count as passed_share,
        disclosure_compliance,
        disclosure_compliance_normalised,
        prohibited_phrases,
        conversations_evidence_linked,
        conversations_evidence_linked = conversation_count as is_evidence_linked
    from summed

)

select * from final
