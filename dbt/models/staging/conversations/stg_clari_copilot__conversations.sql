with

source as (
    {{ landed_or_empty(source('landing', 'clari_copilot__conversations'), landing_columns('conversations')) }}

),

renamed as (

    select
        {{ stage_conversations('clari_copilot', ['deal_stage']) }},

        ---------- only Clari Copilot knows
        {{ json_value('attributes', 'crm_ids') }} as crm_ids,
        {{ json_text('attributes', 'status') }} as call_status,
        {{ json_value('attributes', 'topics') }} as topics,
        {{ json_float('attributes', 'talk_ratio_rep') }} as talk_ratio_rep,
        {{ json_float('attributes', 'talk_ratio_customer') }} as talk_ratio_customer

    from source

)

select * from renamed
