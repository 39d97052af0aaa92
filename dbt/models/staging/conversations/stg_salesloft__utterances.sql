with

source as (
    {{ landed_or_empty(source('landing', 'salesloft__utterances'), landing_columns('utterances')) }}

),

renamed as (

    select
        {{ stage_utterances('salesloft') }}

    from source

)

select * from renamed
