{#- What changes without anything of its own landing, because a rep is known better than before.
    Reps are few, so the history is only looked through for their keys and names. -#}
{% macro conversations_of_another_rep(since) -%}
    select built.conversation_key
    from {{ this }} as built
    inner join {{ ref('int_reps__identified') }} as reps
        on
            built.vendor = reps.vendor
            and built.owner_id = reps.owner_reference
    where built.rep_key is distinct from reps.rep_key
{%- endmacro %}


{% macro days_of_renamed_agents(since) -%}
    select
        built.vendor,
        built.scorecard_date
    from {{ this }} as built
    left join {{ ref('int_reps__identified') }} as reps
        on
            built.vendor = reps.vendor
            and built.agent_id = reps.owner_reference
    where
        built.rep_key is distinct from reps.rep_key
        or built.agent_name is distinct from reps.rep_name
{%- endmacro %}
