with

source as (
    {{ landed_or_empty(source('landing', 'scores__deal_signals'), score_columns('deal_signals'), fill_missing=true) }}

),

renamed as (

    select
        {{ stage_scores('deal_signals') }}

    from source

)

select * from renamed
