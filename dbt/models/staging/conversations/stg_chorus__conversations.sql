with

source as (
    {{ landed_or_empty(source('landing', 'chorus__conversations'), landing_columns('conversations')) }}

),

renamed as (

    select
        {{ stage_conversations('chorus', ['deal_stage', 'call_type', 'team', 'manager', 'recording_url']) }},

        ---------- only Chorus knows
        {{ json_value('attributes', 'trackers') }} as trackers,
        {{ json_value('attributes', 'deal_signals') }} as deal_signals,
        {{ json_value('attributes', 'tags') }} as tags,
        {{ json_float('attributes', 'talk_ratio') }} as talk_ratio,
        {{ json_float('attributes', 'longest_monologue_seconds') }} as longest_monologue_seconds,
        {{ json_integer('attributes', 'question_count') }} as question_count

    from source

)

select * from renamed
