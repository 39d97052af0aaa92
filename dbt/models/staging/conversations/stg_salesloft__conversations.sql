with

source as (
    {{ landed_or_empty(source('landing', 'salesloft__conversations'), landing_columns('conversations')) }}

),

renamed as (

    select
        {{ stage_conversations('salesloft', ['deal_stage', 'disposition', 'outcome', 'cadence_name', 'cadence_step', 'recording_url']) }},

        ---------- only Salesloft knows
        {{ json_text('attributes', 'cadence_id') }} as cadence_id,
        {{ json_integer('attributes', 'step_number') }} as cadence_step_number,
        {{ json_text('attributes', 'opportunity_name') }} as opportunity_name

    from source

)

select * from renamed
