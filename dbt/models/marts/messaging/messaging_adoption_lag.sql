{%- set rule = var('messaging_adoption') %}

with

claims as (

    select
        document,
        document_version,
        kit_name,
        kit_version_id,
        started_on
    from {{ ref('fct_claims') }}
    where
        brick_key in ('claims', 'messages', 'quoted_prices')
        and document is not null

),

versions as (

    select * from {{ ref('dim_documents') }}
    where document_kind = 'document'

),

observed as (

    select
        document,
        kit_name,
        kit_version_id,
        min(started_on) as observed_from_on,
        max(started_on) as observed_until_on
    from claims
    group by document, kit_name, kit_version_id

),

-- The versions that were in force while this version of the kit listened.
expected as (

    select
        versions.document,
        versions.document_version,
        versions.valid_from_on,
        versions.valid_until_on,
        versions.is_in_force,
        observed.kit_name,
        observed.kit_version_id,
        observed.observed_from_on
    from versions
    inner join observed
        on
            versions.document = observed.document
            and versions.valid_from_on <= observed.observed_until_on
            and coalesce(versions.valid_until_on, cast('9999-12-31' as date)) > observed.observed_from_on

),

-- Claims that cite a version which there was by then.
cited as (

    select
        claims.document,
        claims.document_version,
        claims.kit_name,
        claims.kit_version_id,
        claims.started_on,
        count(*) as claim_count
    from claims
    inner join versions
        on
            claims.document = versions.document
            and claims.document_version = versions.document_version
            and claims.started_on >= versions.valid_from_on
    group by
        claims.document, claims.document_version, claims.kit_name, claims.kit_version_id, claims.started_on

),

days as (

    select distinct
        document,
        kit_name,
        kit_version_id,
        started_on
    from cited

),

-- For each version and each day on which any was cited: the days of the window that ends there.
windows as (

    select
        expected.document,
        expected.document_version,
        expected.kit_name,
        expected.kit_version_id,
        expected.valid_from_on,
        days.started_on as window_ends_on,
        sum(cited.claim_count) as claim_count,
        sum(case when cited.document_version = expected.document_version then cited.claim_count else 0 end)
            as version_claim_count
    from expected
    inner join days
        on
            expected.document = days.document
            and expected.kit_name = days.kit_name
            and expected.kit_version_id = days.kit_version_id
            and expected.valid_from_on <= days.started_on
    inner join cited
        on
            expected.document = cited.document
            and expected.kit_name = cited.kit_name
            and expected.kit_version_id = cited.kit_version_id
            and days.started_on >= cited.started_on
            and cited.started_on
            > cast({{ dbt.dateadd('day', -1 * rule['window_days'], 'days.started_on') }} as date)
    group by
        expected.document, expected.document_version, expected.kit_name, expected.kit_version_id,
        expected.valid_from_on, days.started_on

),

reached as (

    select
        document,
        document_version,
        kit_name,
        kit_version_id,
        min(
            case
                when
                    claim_count >= {{ rule['minimum_claims'] }}
                    and version_claim_count >= {{ rule['adopted_share'] }} * claim_count
                    then window_ends_on
            end
        ) as adopted_on,
        min(
            case
                when
                    claim_count >= {{ rule['minimum_claims'] }}
                    and version_claim_count >= {{ rule['fully_adopted_share'] }} * claim_count
                    then window_ends_on
            end
        ) as fully_adopted_on,
        max(
            case
                when claim_count >= {{ rule['minimum_claims'] }}
                    then round(cast(version_claim_count as double) / claim_count, 6)
            end
        ) as highest_share
    from windows
    group by document, document_version, kit_name, kit_version_id

),

-- What was cited while the version was in force.
counted as (

    select
        expected.document,
        expected.document_version,
        expected.kit_name,
        expected.kit_version_id,
        min(case when cited.document_version = expected.document_version then cited.started_on end)
            as first_cited_on,
        cast(coalesce(sum(cited.claim_count), 0) as bigint) as claim_count,
        cast(
            coalesce(
                sum(case when cited.document_version = expected.document_version then cited.claim_count end), 0
            ) as bigint
        ) as version_claim_count
    from expected
    left join cited
        on
            expected.document = cited.document
            and expected.kit_name = cited.kit_name
            and expected.kit_version_id = cited.kit_version_id
            and expected.valid_from_on <= cited.started_on
            and coalesce(expected.valid_until_on, cast('9999-12-31' as date)) > cited.started_on
    group by expected.document, expected.document_version, expected.kit_name, expected.kit_version_id

),

judged as (

    select
        expected.*,
        counted.first_cited_on,
        counted.claim_count,
        counted.version_claim_count,
        reached.highest_share,
        reached.adopted_on,
        reached.fully_adopted_on,
        case
            when expected.observed_from_on > expected.valid_from_on then 'in_force_before_observed'
            when counted.claim_count < {{ var('minimum_n') }} then 'not_enough_data'
            when reached.fully_adopted_on is not null then 'fully_adopted'
            when reached.adopted_on is not null then 'adopted'
            when expected.is_in_force then 'not_adopted_yet'
            else 'replaced_before_adopted'
        end as adoption_status
    from expected
    inner join counted
        on
            expected.document = counted.document
            and expected.document_version = counted.document_version
            and expected.kit_name = counted.kit_name
            and expected.kit_version_id = counted.kit_version_id
    left join reached
        on
            expected.document = reached.document
            and expected.document_version = reached.document_version
            and expected.kit_name = reached.kit_name
            and expected.kit_version_id = reached.kit_version_id

),

measured as (

    select
        *,
        case when adoption_status in ('adopted', 'fully_adopted') then adopted_on end as measured_on,
        case when adoption_status = 'fully_adopted' then fully_adopted_on end as fully_measured_on
    from judged

),

final as (

    select
        document || ':' || document_version || ':' || kit_name || ':' || kit_version_id as adoption_key,
        document,
        document_version,
        kit_name,
        kit_version_id,
        valid_from_on,
        valid_until_on,
        is_in_force,
        observed_from_on,
        first_cited_on,
        claim_count,
        version_claim_count,
        round(cast(version_claim_count as double) / nullif(claim_count, 0), 6) as version_share,
        highest_share,
        adoption_status,
        measured_on as adopted_on,
        cast({{ dbt.datediff('valid_from_on', 'measured_on', 'day') }} as bigint) as adoption_lag_days,
        round(cast({{ dbt.datediff('valid_from_on', 'measured_on', 'day') }} as double) / 7, 6) as adoption_lag_weeks,
        fully_measured_on as fully_adopted_on,
        cast({{ dbt.datediff('valid_from_on', 'fully_measured_on', 'day') }} as bigint) as full_adoption_lag_days,
        round(cast({{ dbt.datediff('valid_from_on', 'fully_measured_on', 'day') }} as double) / 7, 6)
            as full_adoption_lag_weeks
    from measured

)

select * from final
