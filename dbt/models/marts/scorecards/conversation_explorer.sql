{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    cluster_by=['started_on', 'vendor'],
    meta={
        'reads': ['conversations', 'utterances', 'ledger', 'runs'] + kit_families() + ['brick_scales'],
        'also': 'conversations_of_another_context',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

-- Found out once: what may have changed without landing is looked for in the whole history.
changed as (

    select conversation_key from {{ ref('fct_conversations') }}
    where {{ is_changed() }}

),

conversations as (

    select * from {{ ref('fct_conversations') }}
    where conversation_key in (select changed.conversation_key from changed)

),

context as (

    select * from ({{ conversation_context() }}) as known
    where conversation_key in (select changed.conversation_key from changed)

),
{%- for kit in var('kits') %}

{{ kit }} as (

    select * from {{ ref('int_' ~ kit ~ '_scores__latest') }}
    where conversation_key in (select changed.conversation_key from changed)

),
{%- endfor %}

final as (

    select
        ---------- ids
        conversations.conversation_key,
        conversations.vendor,
        conversations.conversation_id,

        ---------- rep, deal, account and cadence
        {%- for column in context_columns() %}
        context.{{ column }},
        {%- endfor %}

        ---------- dimensions
        conversations.title,
        conversations.channel,
        conversations.direction,
        conversations.url,
        {%- for dimension in shared_dimensions() if dimension not in context_columns() %}
        conversations.{{ dimension }},
        {%- endfor %}
        conversations.transcript_status,
        conversations.is_scored,
        conversations.is_deleted,

        ---------- when, and how long
        conversations.started_on,
        conversations.started_at,
        conversations.duration_seconds,
        conversations.participant_count,
        conversations.utterance_count,
        conversations.rep_talk_share,
        conversations.longest_utterance_seconds,

        ---------- bricks, kit by kit
        {% for kit in var('kits') -%}
        {{ explored_bricks(kit) }},
        {% endfor -%}
        {{ built_at() }} as built_at
    from conversations
    inner join context
        on conversations.conversation_key = context.conversation_key
    {%- for kit in var('kits') %}
    left join {{ kit }}
        on conversations.conversation_key = {{ kit }}.conversation_key
    {%- endfor %}

)

select * from final
