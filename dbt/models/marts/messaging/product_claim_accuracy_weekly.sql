with

claims as (

    select
        coalesce(document, 'unknown') as document,
        coalesce(document_version, 'unknown') as document_version,
        cast({{ dbt.date_trunc('week', 'started_on') }} as date) as week_start,
        coalesce(knowledge_area, 'unknown') as knowledge_area,
        kit_version_id,
        conversation_key,
        outcome
    from {{ ref('product_claim_accuracy') }}

),

-- Each area, and all of them together.
scoped as (

    select
        'area' as scope,
        *
    from claims

    union all

    select
        'document' as scope,
        document,
        document_version,
        week_start,
        'all' as knowledge_area,
        kit_version_id,
        conversation_key,
        outcome
    from claims

),

counted as (

    select
        scope,
        document,
        document_version,
        week_start,
        knowledge_area,
        kit_version_id,
        count(distinct conversation_key) as conversation_count,
        count(*) as claims_checked,
        count(case when outcome = 'accurate' then 1 end) as claims_correct,
        count(case when outcome = 'inaccurate' then 1 end) as claims_incorrect,
        count(case when outcome = 'imprecise' then 1 end) as claims_imprecise,
        count(case when outcome = 'outdated' then 1 end) as claims_outdated
    from scoped
    group by scope, document, document_version, week_start, knowledge_area, kit_version_id

),

final as (

    select
        scope || ':' || document || ':' || document_version || ':' || cast(week_start as varchar) || ':'
        || knowledge_area || ':' || kit_version_id as accuracy_key,
        scope,
        document,
        document_version,
        week_start,
        knowledge_area,
        kit_version_id,
        conversation_count,
        claims_checked,
        claims_correct,
        claims_incorrect,
        claims_imprecise,
        claims_outdated,
        round(cast(claims_correct as double) / claims_checked, 6) as accuracy_share,
        round({{ wilson_lower('claims_correct', 'claims_checked') }}, 6) as accuracy_share_lower,
        round({{ wilson_upper('claims_correct', 'claims_checked') }}, 6) as accuracy_share_upper,
        claims_checked >= {{ var('minimum_n') }} as has_enough_data
    from counted

)

select * from final
