{#- The columns that every utterance has, whichever vendor it comes from. -#}
{% macro stage_utterances(vendor) -%}
    ---------- ids
        {{ conversation_key("'" ~ vendor ~ "'", 'conversation_id') }} || ':' || cast(position as varchar) as utterance_key,
        {{ conversation_key("'" ~ vendor ~ "'", 'conversation_id') }} as conversation_key,
        '{{ vendor }}' as vendor,
        conversation_id,
        position,

        ---------- what was said
        speaker,
        speaker_role,
        text as utterance_text,

        ---------- offsets from the start
        start_seconds,
        end_seconds,
        case when end_seconds >= start_seconds then end_seconds - start_seconds end as spoken_seconds,
        _loaded_at as loaded_at
{%- endmacro %}


{#- The columns of stage_utterances() that models downstream may read: not what was said. -#}
{% macro utterance_columns() -%}
    {{ return([
        'utterance_key', 'conversation_key', 'vendor', 'conversation_id', 'position', 'speaker',
        'speaker_role', 'start_seconds', 'end_seconds', 'spoken_seconds', 'loaded_at',
    ]) }}
{%- endmacro %}
