with

claims as (

    select * from {{ ref('fct_claims') }}
    where brick_key = 'claims'

),

scores as (
    {{ latest_bricks(
        'messaging_accuracy',
        numbers=['feature_accuracy'],
        booleans=['feature_claim_accurate', 'integration_overstated', 'competitor_claim_valid'],
        texts=['knowledge_gap_area'],
    ) }}

),

final as (

    select
        claims.claim_key,
        claims.conversation_key,
        claims.vendor,
        conversations.url,
        claims.started_on,
        claims.rep_key,
        reps.rep_name,
        reps.team,
        claims.document,
        claims.version_in_force as document_version,
        claims.document_version as cited_version,
        claims.area as knowledge_area,
        claims.quote,
        facts.fact as documented_fact,
        claims.verdict,
        claims.outcome,
        claims.outcome = 'accurate' as is_correct,
        scores.feature_accuracy,
        scores.feature_accuracy_normalised,
        scores.feature_claim_accurate,
        scores.integration_overstated,
        scores.competitor_claim_valid,
        scores.knowledge_gap_area,
        claims.kit_version_id,
        claims.scored_at
    from claims
    inner join {{ ref('fct_conversations') }} as conversations
        on claims.conversation_key = conversations.conversation_key
    left join scores
        on claims.conversation_key = scores.conversation_key
    left join {{ ref('dim_reps') }} as reps
        on claims.rep_key = reps.rep_key
    left join {{ ref('stg_reference__grounding_facts') }} as facts
        on
            claims.document = facts.document
            and claims.version_in_force = facts.version
            and claims.area = facts.area

)

select * from final
