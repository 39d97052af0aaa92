with

source as (
    {{ landed_or_empty(source('landing', 'chorus__utterances'), landing_columns('utterances')) }}

),

renamed as (

    select
        {{ stage_utterances('chorus') }}

    from source

)

select * from renamed
