{{ config(severity='warn') }}

select scores.attrition_score_key
from {{ ref('stg_reference__attrition_scores') }} as scores
left join {{ ref('agent_attrition_features') }} as features
    on
        scores.rep_key = features.rep_key
        and scores.month_start = features.month_start
where features.rep_key is null
