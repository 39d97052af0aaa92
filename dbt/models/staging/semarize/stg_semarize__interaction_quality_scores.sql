with

source as (
    {{ landed_or_empty(source('landing', 'scores__interaction_quality'), score_columns('interaction_quality'), fill_missing=true) }}

),

renamed as (

    select
        {{ stage_scores('interaction_quality') }}

    from source

)

select * from renamed
