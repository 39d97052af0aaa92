{#- The last time before or on the day of a conversation that the rep's team was taught, one row per
    conversation and element; none where it never was. `calls` is a relation with conversation_key,
    rep_key, started_on and element; where its element is null, any topic counts. -#}
{% macro last_enablement(calls) -%}
    select
        calls.conversation_key,
        calls.element,
        events.event_id,
        events.held_on,
        events.document,
        events.document_version,
        cast({{ dbt.datediff('events.held_on', 'calls.started_on', 'day') }} as bigint) as days_since_enablement
    from {{ calls }} as calls
    inner join {{ ref('dim_reps') }} as reps
        on calls.rep_key = reps.rep_key
    inner join {{ ref('stg_reference__enablement_events') }} as events
        on
            reps.team = events.team
            and calls.started_on >= events.held_on
            and coalesce(calls.element, events.topic) = events.topic
    qualify row_number() over (
        partition by calls.conversation_key, calls.element
        order by events.held_on desc, events.event_id asc
    ) = 1
{%- endmacro %}
