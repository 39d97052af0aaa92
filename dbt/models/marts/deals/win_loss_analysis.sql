{%- set sets = var('win_loss_conditions') %}

with

calls as (
    {{ calls_of_closed_deals() }}

),

answers as (

    select
        calls.opportunity_id,
        found.kit_name,
        found.kit_version_id,
        found.brick_key,
        max(calls.won) as won,
        max(case when found.value_boolean then 1 when not found.value_boolean then 0 end) as was_true,
        avg(found.value_number) as mean_number
    from calls
    inner join {{ ref('fct_brick_values') }} as found
        on calls.conversation_key = found.conversation_key
    where found.is_latest
    group by calls.opportunity_id, found.kit_name, found.kit_version_id, found.brick_key

),

-- Each set's conditions on one kit, over the deal's calls that one version of it scored.
{%- for set in sets %}
{%- set number = loop.index %}
{%- for kit, conditions in set.conditions | groupby('kit') %}

set_{{ number }}_{{ kit }} as (

    select
        opportunity_id,
        kit_version_id,
        max(won) as won,
        {%- for condition in conditions %}
        {{ 'and ' if not loop.first }}{{ condition_is_met(condition) }}{{ ' as is_met' if loop.last }}
        {%- endfor %}
    from answers
    where kit_name = '{{ kit }}'
    group by opportunity_id, kit_version_id

),
{%- endfor %}
{%- endfor %}

deals as (
    {% for set in sets %}
    {%- set number = loop.index %}
    {%- set kits = set.conditions | map(attribute='kit') | unique | sort %}
    select
        '{{ set.name }}' as condition_set,
        {%- set words = [] %}
        {%- for condition in set.conditions %}{% do words.append(condition_in_words(condition)) %}{% endfor %}
        '{{ words | join(" and ") }}' as conditions,
        {% for kit in kits %}set_{{ number }}_{{ kit }}.kit_version_id{{ " || '+' || " if not loop.last }}{% endfor %}
            as kit_version_id,
        set_{{ number }}_{{ kits[0] }}.won,
        {% for kit in kits %}set_{{ number }}_{{ kit }}.is_met{{ " and " if not loop.last }}{% endfor %} as is_met
    from set_{{ number }}_{{ kits[0] }}
    {%- for kit in kits[1:] %}
    inner join set_{{ number }}_{{ kit }}
        on set_{{ number }}_{{ kits[0] }}.opportunity_id = set_{{ number }}_{{ kit }}.opportunity_id
    {%- endfor %}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}

),

counted as (

    select
        condition_set,
        conditions,
        kit_version_id,
        count(*) as deal_count,
        count(case when is_met is null then 1 end) as deals_unknown,
        count(case when is_met then 1 end) as deals_with,
        count(case when is_met then nullif(won, 0) end) as wins_with,
        count(case when not is_met then 1 end) as deals_without,
        count(case when not is_met then nullif(won, 0) end) as wins_without
    from deals
    group by condition_set, conditions, kit_version_id

),

compared as (
    {{ win_rates_compared('counted', keep=[
        'condition_set', 'conditions', 'kit_version_id', 'deal_count', 'deals_unknown'
    ]) }}

),

final as (

    select
        condition_set || ':' || kit_version_id as condition_set_key,
        condition_set,
        conditions,
        kit_version_id,
        deal_count,
        deals_unknown,
        {{ win_rate_columns() }}
    from compared

)

select * from final
