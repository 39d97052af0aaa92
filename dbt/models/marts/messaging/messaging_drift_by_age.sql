{%- set bucket_days = var('drift_bucket_days') %}

with

calls as (

    select
        element,
        coalesce(taught_version, 'none') as taught_version,
        kit_version_id,
        cast(floor(days_since_enablement / {{ bucket_days }}) * {{ bucket_days }} as bigint) as bucket_from_days,
        is_approved,
        is_outdated,
        drift_severity,
        drift_severity_normalised
    from {{ ref('messaging_drift_elements') }}

),

-- What was taught by each version of the playbook, and by all of them together.
scoped as (

    select
        'version' as scope,
        *
    from calls

    union all

    select
        'element' as scope,
        element,
        'all' as taught_version,
        kit_version_id,
        bucket_from_days,
        is_approved,
        is_outdated,
        drift_severity,
        drift_severity_normalised
    from calls

),

counted as (

    select
        scope,
        element,
        taught_version,
        kit_version_id,
        bucket_from_days,
        count(*) as call_count,
        count(case when is_approved then 1 end) as approved_call_count,
        count(case when is_outdated then 1 end) as outdated_call_count,
        count(drift_severity) as severity_call_count,
        avg(drift_severity) as drift_severity,
        avg(drift_severity_normalised) as drift_severity_normalised
    from scoped
    group by scope, element, taught_version, kit_version_id, bucket_from_days

),

final as (

    select
        scope || ':' || element || ':' || taught_version || ':' || kit_version_id || ':'
        || coalesce(cast(bucket_from_days as varchar), 'never') as drift_age_key,
        scope,
        element,
        taught_version,
        kit_version_id,
        bucket_from_days,
        bucket_from_days + {{ bucket_days }} - 1 as bucket_to_days,
        call_count,
        call_count >= {{ var('minimum_n') }} as has_enough_data,
        approved_call_count,
        round(cast(approved_call_count as double) / call_count, 6) as approved_share,
        round({{ wilson_lower('approved_call_count', 'call_count') }}, 6) as approved_share_lower,
        round({{ wilson_upper('approved_call_count', 'call_count') }}, 6) as approved_share_upper,
        outdated_call_count,
        severity_call_count,
        drift_severity,
        drift_severity_normalised
    from counted

)

select * from final
