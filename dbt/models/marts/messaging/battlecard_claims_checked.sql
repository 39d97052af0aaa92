with

claims as (

    select * from {{ ref('fct_claims') }}
    where brick_key = 'competitor_claims'

),

scores as (
    {{ latest_bricks(
        'battlecards',
        numbers=['claims_accurate'],
        booleans=['battlecard_used', 'outdated_claim'],
        texts=['competitor'],
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
        claims.document as competitor,
        claims.area as claim,
        claims.quote,
        claims.outcome,
        claims.outcome = 'accurate' as is_accurate,
        claims.is_outdated,
        claims.document_version as verdict_since_version,
        claims.version_in_force as battlecard_version,
        claims.in_force_since_on as battlecard_updated_on,
        scores.claims_accurate,
        scores.claims_accurate_normalised,
        scores.battlecard_used,
        scores.outdated_claim,
        scores.competitor as main_competitor,
        claims.kit_version_id,
        claims.scored_at
    from claims
    inner join {{ ref('fct_conversations') }} as conversations
        on claims.conversation_key = conversations.conversation_key
    left join scores
        on claims.conversation_key = scores.conversation_key
    left join {{ ref('dim_reps') }} as reps
        on claims.rep_key = reps.rep_key

)

select * from final
