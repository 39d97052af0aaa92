{#- What the explorer shows of a conversation that CRM and cadences know, and that may change without
    anything landing: one row per conversation. A conversation's own word goes before theirs, but for
    its deal, which bridge_conversation_opportunities decides. -#}
{% macro conversation_context() -%}
    select
        conversations.conversation_key,
        conversations.rep_key,
        reps.rep_name,
        reps.rep_email,
        reps.role as rep_role,
        reps.team as rep_team,
        reps.manager as rep_manager,
        reps.territory as rep_territory,
        coalesce(links.opportunity_id, conversations.opportunity_id) as opportunity_id,
        coalesce(links.link_method, 'unlinked') as link_method,
        opportunities.opportunity_name,
        opportunities.deal_type,
        opportunities.stage as opportunity_stage,
        opportunities.amount_usd as opportunity_amount_usd,
        opportunities.is_closed as is_opportunity_closed,
        opportunities.is_won as is_opportunity_won,
        links.account_id,
        coalesce(conversations.account_name, accounts.account_name) as account_name,
        accounts.segment as account_segment,
        accounts.industry as account_industry,
        accounts.territory as account_territory,
        coalesce(conversations.cadence_name, activities.cadence_name) as cadence_name,
        coalesce(conversations.cadence_step, steps.step_name) as cadence_step,
        activities.step_number as cadence_step_number,
        steps.cadence_version
    from {{ ref('fct_conversations') }} as conversations
    left join {{ ref('dim_reps') }} as reps
        on conversations.rep_key = reps.rep_key
    left join {{ ref('bridge_conversation_opportunities') }} as links
        on conversations.conversation_key = links.conversation_key
    left join {{ ref('dim_opportunities') }} as opportunities
        on links.opportunity_id = opportunities.opportunity_id
    left join {{ ref('dim_accounts') }} as accounts
        on links.account_id = accounts.account_id
    left join {{ ref('stg_reference__cadence_activities') }} as activities
        on conversations.conversation_key = activities.conversation_key
    left join {{ ref('dim_cadence_steps') }} as steps
        on
            activities.cadence_name = steps.cadence_name
            and activities.step_number = steps.step_number
{%- endmacro %}


{#- The columns of that, but for the key. -#}
{% macro context_columns() -%}
    {{ return([
        'rep_key', 'rep_name', 'rep_email', 'rep_role', 'rep_team', 'rep_manager', 'rep_territory',
        'opportunity_id', 'link_method', 'opportunity_name', 'deal_type', 'opportunity_stage',
        'opportunity_amount_usd', 'is_opportunity_closed', 'is_opportunity_won',
        'account_id', 'account_name', 'account_segment', 'account_industry', 'account_territory',
        'cadence_name', 'cadence_step', 'cadence_step_number', 'cadence_version',
    ]) }}
{%- endmacro %}


{#- The conversations that the explorer tells otherwise than CRM and cadences do by now. -#}
{% macro conversations_of_another_context(since) -%}
    select built.conversation_key
    from {{ this }} as built
    inner join ({{ conversation_context() }}) as context
        on built.conversation_key = context.conversation_key
    where
        {%- for column in context_columns() %}
        {{ "or" if not loop.first }} built.{{ column }} is distinct from context.{{ column }}
        {%- endfor %}
{%- endmacro %}


{#- The landing tables of the kits' wide scores, as `meta: reads` names them. -#}
{% macro kit_families() -%}
    {%- set families = [] -%}
    {%- for kit in var('kits') -%}
        {%- do families.append('scores__' ~ kit) -%}
    {%- endfor -%}
    {{ return(families) }}
{%- endmacro %}


{#- A kit's columns in the explorer: version, moment and bricks, a number also from 0 to 1. -#}
{% macro explored_bricks(kit) -%}
    {{ kit }}.kit_version_id as {{ kit }}_kit_version_id,
        {{ kit }}.scored_at as {{ kit }}_scored_at
        {%- for brick, type in var('kits')[kit].items() %},
        {{ kit }}.{{ brick }}
        {%- if type == 'float' %},
        {{ kit }}.{{ brick }}_normalised
        {%- endif %}
        {%- endfor %}
{%- endmacro %}
