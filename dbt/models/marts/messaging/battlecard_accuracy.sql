with

claims as (

    select
        competitor,
        cast({{ dbt.date_trunc('month', 'started_on') }} as date) as month_start,
        kit_version_id,
        conversation_key,
        is_accurate,
        is_outdated
    from {{ ref('battlecard_claims_checked') }}

),

-- Each competitor, and all of them together.
scoped as (

    select
        'competitor' as scope,
        *
    from claims

    union all

    select
        'all' as scope,
        'all' as competitor,
        month_start,
        kit_version_id,
        conversation_key,
        is_accurate,
        is_outdated
    from claims

),

counted as (

    select
        scope,
        competitor,
        month_start,
        kit_version_id,
        count(distinct conversation_key) as conversation_count,
        count(*) as claims_checked,
        count(case when is_accurate then 1 end) as claims_accurate,
        count(case when is_outdated then 1 end) as claims_outdated
    from scoped
    group by scope, competitor, month_start, kit_version_id

),

-- The battlecard as it was at the end of the month.
cards as (

    select
        counted.competitor,
        counted.month_start,
        documents.document_version,
        documents.valid_from_on
    from counted
    inner join {{ ref('dim_documents') }} as documents
        on
            counted.competitor = documents.document
            and documents.valid_from_on < cast({{ dbt.dateadd('month', 1, 'counted.month_start') }} as date)
    where
        counted.scope = 'competitor'
        and documents.document_kind = 'battlecard'
    qualify row_number() over (
        partition by counted.competitor, counted.month_start
        order by documents.valid_from_on desc, documents.version_number desc
    ) = 1

),

final as (

    select
        counted.scope || ':' || counted.competitor || ':' || cast(counted.month_start as varchar) || ':'
        || counted.kit_version_id as battlecard_month_key,
        counted.scope,
        counted.competitor,
        counted.month_start,
        counted.kit_version_id,
        counted.conversation_count,
        counted.claims_checked,
        counted.claims_accurate,
        counted.claims_outdated,
        round(cast(counted.claims_accurate as double) / counted.claims_checked, 6) as accuracy_share,
        round({{ wilson_lower('counted.claims_accurate', 'counted.claims_checked') }}, 6) as accuracy_share_lower,
        round({{ wilson_upper('counted.claims_accurate', 'counted.claims_checked') }}, 6) as accuracy_share_upper,
        counted.claims_checked >= {{ var('minimum_n') }} as has_enough_data,
        case
            when counted.scope = 'all' then null
            when counted.claims_outdated = 0 then 'up_to_date'
            when
                cast(counted.claims_accurate as double) / counted.claims_checked
                >= {{ var('battlecard_update_share') }}
                then 'update'
            else 'urgent_update'
        end as action,
        cards.document_version as battlecard_version,
        cards.valid_from_on as battlecard_updated_on
    from counted
    left join cards
        on
            counted.competitor = cards.competitor
            and counted.month_start = cards.month_start

)

select * from final
