with

rules as (

    select
        framework,
        framework_version,
        rule,
        brick_key,
        max(case when is_custom then 1 else 0 end) = 1 as is_custom,
        max(case when is_checked then 1 else 0 end) = 1 as is_checked,
        max(update_days) as update_days
    from {{ ref('stg_reference__compliance_rules') }}
    group by framework, framework_version, rule, brick_key

),

-- How often each rule was broken, found by the kit: a framework that does not check it misses these.
violations as (

    select
        brick_key,
        count(*) as violation_count
    from {{ ref('fct_brick_values') }}
    where
        is_latest
        and kit_name = 'compliance_rules'
        and value_text = 'fail'
    group by brick_key

),

summed as (

    select
        rules.framework,
        rules.framework_version,
        max(case when rules.is_custom then 1 else 0 end) = 1 as is_custom,
        count(*) as rules_known,
        count(case when rules.is_checked then 1 end) as rules_checked,
        cast(max(rules.update_days) as bigint) as update_days,
        cast(coalesce(sum(violations.violation_count), 0) as bigint) as violations_known,
        cast(coalesce(sum(case when rules.is_checked then violations.violation_count end), 0) as bigint) as violations_found
    from rules
    left join violations
        on rules.brick_key = violations.brick_key
    group by rules.framework, rules.framework_version

),

final as (

    select
        framework || ':' || framework_version as framework_version_key,
        framework,
        framework_version,
        is_custom,
        rules_known,
        rules_checked,
        rules_known - rules_checked as rules_missed,
        cast(rules_checked as double) / rules_known as rule_coverage_share,
        violations_known,
        violations_found,
        violations_known - violations_found as violations_missed,
        cast(violations_found as double) / nullif(violations_known, 0) as violation_coverage_share,
        update_days
    from summed

)

select * from final
