{#- The dimensions that several vendors know under one name. Each staging model lists those that
    its vendor gives; the rest are null there, so that every vendor has the same columns. -#}
{% macro shared_dimensions() -%}
    {{ return([
        'deal_stage',
        'disposition',
        'outcome',
        'call_type',
        'call_scope',
        'queue',
        'campaign',
        'team',
        'manager',
        'cadence_name',
        'cadence_step',
        'language',
        'recording_url',
    ]) }}
{%- endmacro %}


{#- The columns that every conversation has, whichever vendor it comes from. -#}
{% macro stage_conversations(vendor, dimensions=[]) -%}
    {%- for dimension in dimensions if dimension not in shared_dimensions() -%}
        {%- do exceptions.raise_compiler_error(
            "'" ~ dimension ~ "' is not a shared dimension: add it to shared_dimensions(), or give it a column of its own"
        ) -%}
    {%- endfor -%}
    ---------- ids
        {{ conversation_key("'" ~ vendor ~ "'", 'conversation_id') }} as conversation_key,
        '{{ vendor }}' as vendor,
        conversation_id,
        owner_id,
        opportunity_id,

        ---------- what it was
        title,
        channel,
        direction,
        owner_name,
        lower(owner_email) as owner_email,
        account_name,
        url,
        participants,
        {{ json_length('participants') }} as participant_count,
        {%- for dimension in shared_dimensions() %}
        {% if dimension in dimensions -%}
        {{ json_text('attributes', dimension) }}
        {%- else -%}
        cast(null as varchar)
        {%- endif %} as {{ dimension }},
        {%- endfor %}

        ---------- what was said
        transcript_status,
        transcript,
        transcript_hash,
        utterance_count,

        ---------- timestamps and durations
        started_at,
        {{ add_seconds('started_at', 'coalesce(duration_seconds, 0)') }} as ended_at,
        duration_seconds,
        _extracted_at as extracted_at,
        _loaded_at as loaded_at,
        _content_hash as content_hash
{%- endmacro %}


{#- The columns of stage_conversations() that models downstream may read: not what was said. -#}
{% macro conversation_columns() -%}
    {{ return(
        [
            'conversation_key', 'vendor', 'conversation_id', 'owner_id', 'opportunity_id',
            'title', 'channel', 'direction', 'owner_name', 'owner_email', 'account_name', 'url',
            'participant_count',
        ]
        + shared_dimensions()
        + [
            'transcript_status', 'transcript_hash', 'utterance_count',
            'started_at', 'ended_at', 'duration_seconds', 'extracted_at', 'loaded_at',
        ]
    ) }}
{%- endmacro %}
