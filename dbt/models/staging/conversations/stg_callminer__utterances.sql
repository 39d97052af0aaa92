with

source as (
    {{ landed_or_empty(source('landing', 'callminer__utterances'), landing_columns('utterances')) }}

),

renamed as (

    select
        {{ stage_utterances('callminer') }}

    from source

)

select * from renamed
