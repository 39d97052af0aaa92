with

violations as (

    select * from {{ ref('fct_claims') }}
    where brick_key = 'violations'

),

rules as (

    select
        framework_version,
        rule,
        max(framework) as framework,
        max(rule_title) as rule_title
    from {{ ref('stg_reference__compliance_rules') }}
    where is_checked
    group by framework_version, rule

),

final as (

    select
        violations.claim_key as violation_key,
        violations.conversation_key,
        violations.vendor,
        violations.rep_key,
        reps.rep_name as agent_name,
        reps.team,
        reps.manager,
        conversations.channel,
        conversations.account_name,
        rules.framework,
        violations.document_version as framework_version,
        violations.area as rule,
        rules.rule_title,
        violations.quote,
        violations.quote is not null as is_quoted,
        conversations.url,
        violations.started_on,
        conversations.started_at,
        violations.scored_at,
        violations.kit_version_id
    from violations
    inner join {{ ref('fct_conversations') }} as conversations
        on violations.conversation_key = conversations.conversation_key
    left join {{ ref('dim_reps') }} as reps
        on violations.rep_key = reps.rep_key
    left join rules
        on
            violations.document_version = rules.framework_version
            and violations.area = rules.rule

)

select * from final
