{%- set signals = var('win_rate_signals') %}
{%- set bands = var('signal_bands') %}

with

calls as (
    {{ calls_of_closed_deals() }}

),

-- The cadence that touched a deal first; later ones had what the first had won.
first_cadences as (

    select
        calls.opportunity_id,
        activities.cadence_name,
        cadences.source
    from calls
    inner join {{ ref('stg_reference__cadence_activities') }} as activities
        on calls.conversation_key = activities.conversation_key
    left join {{ ref('stg_reference__cadences') }} as cadences
        on activities.cadence_name = cadences.cadence_name
    qualify row_number() over (
        partition by calls.opportunity_id
        order by activities.performed_on, calls.conversation_key
    ) = 1

),

-- One value for each deal and signal: whether it was ever found, its mean, or the highest level said.
answers as (

    select
        calls.opportunity_id,
        found.brick_key as signal,
        found.kit_version_id,
        max(calls.won) as won,
        max(coalesce(calls.segment, 'unknown')) as segment,
        max(case when found.value_boolean then 1 when not found.value_boolean then 0 end) as was_true,
        avg(found.value_normalised) as mean_normalised,
        max(
            case
                {%- for signal in signals if signal.levels is defined %}
                {%- for level in signal.levels %}
                when found.brick_key = '{{ signal.brick }}' and found.value_text = '{{ level }}' then {{ loop.index }}
                {%- endfor %}
                {%- else %}
                when false then 0
                {%- endfor %}
            end
        ) as highest_level
    from calls
    inner join {{ ref('fct_brick_values') }} as found
        on calls.conversation_key = found.conversation_key
    where
        found.is_latest
        and (
            {%- for signal in signals %}
            {{ 'or ' if not loop.first }}(found.kit_name = '{{ signal.kit }}' and found.brick_key = '{{ signal.brick }}')
            {%- endfor %}
        )
    group by calls.opportunity_id, found.brick_key, found.kit_version_id

),

-- Which value, or band of it, a deal shows.
shown as (

    select
        answers.opportunity_id,
        answers.signal,
        answers.kit_version_id,
        answers.won,
        answers.segment,
        coalesce(first_cadences.cadence_name, 'none') as cadence_name,
        first_cadences.source as cadence_source,
        case
            {%- for signal in signals %}
            {%- if signal.kind == 'boolean' %}
            when answers.signal = '{{ signal.brick }}' and answers.was_true = 1 then 'present'
            when answers.signal = '{{ signal.brick }}' and answers.was_true = 0 then 'absent'
            {%- elif signal.kind == 'number' %}
            {%- for band in bands %}
            when answers.signal = '{{ signal.brick }}' and answers.mean_normalised <= {{ band.up_to }} then '{{ band.name }}'
            {%- endfor %}
            {%- else %}
            {%- for level in signal.levels %}
            when answers.signal = '{{ signal.brick }}' and answers.highest_level = {{ loop.index }} then '{{ level }}'
            {%- endfor %}
            {%- endif %}
            {%- endfor %}
        end as value_band
    from answers
    left join first_cadences
        on answers.opportunity_id = first_cadences.opportunity_id

),

-- Each deal in its own cadence and segment, and in all of them.
scoped as (
    {% for cadence in ['cadence_name', "'all'"] %}
    {%- set outer_last = loop.last %}
    {%- for segment in ['segment', "'all'"] %}
    select
        signal,
        kit_version_id,
        {{ cadence }}{{ ' as cadence_name' if cadence != 'cadence_name' }},
        {{ 'cadence_source' if cadence == 'cadence_name' else "'all' as cadence_source" }},
        {{ segment }}{{ ' as segment' if segment != 'segment' }},
        won,
        value_band
    from shown
    where value_band is not null
    {%- if not (loop.last and outer_last) %}

    union all
    {% endif %}
    {%- endfor %}
    {%- endfor %}

),

totals as (

    select
        signal,
        kit_version_id,
        cadence_name,
        segment,
        max(cadence_source) as cadence_source,
        count(*) as deal_count,
        cast(sum(won) as bigint) as win_count
    from scoped
    group by signal, kit_version_id, cadence_name, segment

),

banded as (

    select
        signal,
        kit_version_id,
        cadence_name,
        segment,
        value_band,
        count(*) as deals_with,
        cast(sum(won) as bigint) as wins_with
    from scoped
    where value_band <> 'absent'
    group by signal, kit_version_id, cadence_name, segment, value_band

),

counted as (

    select
        banded.signal,
        banded.value_band,
        banded.kit_version_id,
        banded.cadence_name,
        totals.cadence_source,
        banded.segment,
        totals.deal_count,
        banded.deals_with,
        banded.wins_with,
        totals.deal_count - banded.deals_with as deals_without,
        totals.win_count - banded.wins_with as wins_without
    from banded
    inner join totals
        on
            banded.signal = totals.signal
            and banded.kit_version_id = totals.kit_version_id
            and banded.cadence_name = totals.cadence_name
            and banded.segment = totals.segment

),

compared as (
    {{ win_rates_compared('counted', keep=[
        'signal', 'value_band', 'kit_version_id', 'cadence_name', 'cadence_source', 'segment', 'deal_count'
    ]) }}

),

final as (

    select
        signal || ':' || value_band || ':' || kit_version_id || ':' || cadence_name || ':' || segment as win_rate_key,
        signal,
        value_band,
        kit_version_id,
        cadence_name,
        cadence_source,
        segment,
        deal_count,
        {{ win_rate_columns() }}
    from compared

)

select * from final
