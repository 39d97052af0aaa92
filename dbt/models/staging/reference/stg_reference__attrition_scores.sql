with

source as (
    {{ reference_rows('attrition_scores', has_seed=false) }}

),

renamed as (

    select
        rep_key || ':' || cast(month_start as varchar) || ':' || model_name || ':'
        || cast(scored_on as varchar) as attrition_score_key,
        rep_key,
        month_start,
        risk_score,
        model_name,
        scored_on
    from source
    where scored_on <= {{ as_of() }}

)

select * from renamed
