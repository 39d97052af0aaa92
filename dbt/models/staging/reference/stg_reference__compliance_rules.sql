with

source as (
    {{ reference_rows('compliance_rules') }}

),

renamed as (

    select
        framework || ':' || framework_version || ':' || rule || ':' || jurisdiction as compliance_rule_key,
        framework,
        is_custom,
        framework_version,
        rule,
        rule_title,
        jurisdiction,
        brick_key,
        is_checked,
        update_days,
        valid_from
    from source
    where valid_from <= {{ as_of() }}

)

select * from renamed
