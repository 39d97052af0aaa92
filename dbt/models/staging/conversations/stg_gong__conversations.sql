with

source as (
    {{ landed_or_empty(source('landing', 'gong__conversations'), landing_columns('conversations')) }}

),

renamed as (

    select
        {{ stage_conversations('gong', ['deal_stage', 'call_scope', 'language']) }},

        ---------- only Gong knows
        {{ json_text('attributes', 'account_id') }} as account_id,
        {{ json_value('attributes', 'crm_ids') }} as crm_ids,
        {{ json_boolean('attributes', 'recording_available') }} as is_recording_available

    from source

)

select * from renamed
