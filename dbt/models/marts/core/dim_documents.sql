with

documents as (

    select
        document,
        version,
        'document' as document_kind,
        valid_from
    from {{ ref('stg_reference__grounding_documents') }}

    union all

    select
        competitor as document,
        version,
        'battlecard' as document_kind,
        updated_on as valid_from
    from {{ ref('stg_reference__battlecards') }}

),

facts as (

    select
        document,
        version,
        count(*) as fact_count
    from {{ ref('stg_reference__grounding_facts') }}
    group by document, version

),

ordered as (

    select
        *,
        row_number() over (
            partition by document
            order by valid_from, version
        ) as version_number,
        lead(valid_from) over (
            partition by document
            order by valid_from, version
        ) as valid_until
    from documents

),

final as (

    select
        ordered.document || ':' || ordered.version as document_version_key,
        ordered.document,
        ordered.version as document_version,
        ordered.document_kind,
        ordered.version_number,
        ordered.valid_from as valid_from_on,
        ordered.valid_until as valid_until_on,
        ordered.valid_until is null as is_in_force,
        coalesce(facts.fact_count, 0) as fact_count
    from ordered
    left join facts
        on
            ordered.document = facts.document
            and ordered.version = facts.version

)

select * from final
