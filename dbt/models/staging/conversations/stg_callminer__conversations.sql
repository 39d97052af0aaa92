with

source as (
    {{ landed_or_empty(source('landing', 'callminer__conversations'), landing_columns('conversations')) }}

),

renamed as (

    select
        {{ stage_conversations('callminer', ['disposition', 'queue', 'campaign']) }},

        ---------- only CallMiner knows
        {{ json_text('attributes', 'customer_id') }} as customer_id,
        {{ json_value('attributes', 'wrap_up_codes') }} as wrap_up_codes

    from source

)

select * from renamed
