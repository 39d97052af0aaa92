with

source as (
    {{ landed_or_empty(source('landing', 'gong__utterances'), landing_columns('utterances')) }}

),

renamed as (

    select
        {{ stage_utterances('gong') }}

    from source

)

select * from renamed
