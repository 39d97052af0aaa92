with

source as (
    {{ landed_or_empty(source('landing', 'clari_copilot__utterances'), landing_columns('utterances')) }}

),

renamed as (

    select
        {{ stage_utterances('clari_copilot') }}

    from source

)

select * from renamed
