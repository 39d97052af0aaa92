{{ config(meta={'why_a_table': 'a document or its dates may change without a claim landing'}) }}

with

items as (

    select * from {{ ref('stg_semarize__list_items') }}
    where brick_key in ('{{ var("claim_bricks") | join("', '") }}')

),

latest as (

    select * from {{ ref('int_scores__latest') }}

),

conversations as (

    select * from {{ ref('fct_conversations') }}

),

documents as (

    select * from {{ ref('dim_documents') }}

),

-- A violation names no document: its framework's version is what it was held against.
parsed as (

    select
        items.item_key as claim_key,
        items.conversation_key,
        items.vendor,
        items.kit_name,
        items.kit_version_id,
        items.brick_key,
        case
            when items.brick_key = 'violations' then split_part(items.item, ' | ', 1)
            else split_part(items.item, ' | ', 2)
        end as area,
        case
            when items.brick_key = 'violations' then split_part(items.item, ' | ', 2)
            else split_part(items.item, ' | ', 1)
        end as verdict,
        case
            when items.brick_key <> 'violations' then split_part(items.item, ' | ', 3)
        end as document,
        nullif(
            case
                when items.brick_key = 'violations' then split_part(items.item, ' | ', 3)
                else split_part(items.item, ' | ', 4)
            end, 'none'
        ) as document_version,
        nullif(
            case
                when items.brick_key = 'violations' then split_part(items.item, ' | ', 4)
                else split_part(items.item, ' | ', 5)
            end, ''
        ) as quote,
        items.scored_at
    from items
    inner join latest
        on
            items.conversation_key = latest.conversation_key
            and items.kit_name = latest.kit_name
            and items.run_id = latest.run_id

),

-- The version that was in force on the day of the conversation.
dated as (

    select
        parsed.*,
        conversations.started_on,
        conversations.rep_key,
        named.valid_from_on as version_valid_from_on,
        named.valid_until_on as version_valid_until_on,
        in_force.document_version as version_in_force,
        in_force.valid_from_on as in_force_since_on
    from parsed
    inner join conversations
        on parsed.conversation_key = conversations.conversation_key
    left join documents as named
        on
            parsed.document = named.document
            and parsed.document_version = named.document_version
    left join documents as in_force
        on
            parsed.document = in_force.document
            and conversations.started_on >= in_force.valid_from_on
            and conversations.started_on < coalesce(in_force.valid_until_on, cast('9999-12-31' as date))

),

judged as (

    select
        *,
        -- What is known of a competitor names the version since which it is out of date; everything
        -- else names the version by which it was right.
        case
            when brick_key = 'competitor_claims'
                then verdict = 'outdated' and coalesce(version_valid_from_on <= started_on, true)
            else coalesce(version_valid_until_on <= started_on, false)
        end as is_outdated
    from dated

),

final as (

    select
        ---------- ids
        claim_key,
        conversation_key,
        vendor,
        rep_key,
        kit_name,
        kit_version_id,

        ---------- what was claimed
        brick_key,
        area,
        verdict,
        case
            when is_outdated then 'outdated'
            when verdict in ('accurate', 'approved') then 'accurate'
            when verdict = 'outdated' then 'accurate'
            when verdict = 'imprecise' then 'imprecise'
            else 'inaccurate'
        end as outcome,
        quote,

        ---------- against what
        document,
        document_version,
        version_in_force,
        in_force_since_on,
        is_outdated,

        ---------- when
        started_on,
        scored_at
    from judged

)

select * from final
