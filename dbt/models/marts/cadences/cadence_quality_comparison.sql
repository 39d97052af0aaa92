{%- set measures = {
    'buying_signal': 'qualification',
    'pain_severity': 'deal_signals',
    'pain_specificity': 'qualification',
    'discovery_depth': 'qualification',
} %}

with

qualification as (
    {{ latest_bricks('qualification', numbers=['buying_signal', 'pain_specificity', 'discovery_depth']) }}

),

deal_signals as (
    {{ latest_bricks('deal_signals', numbers=['pain_severity']) }}

),

cadences as (

    select * from {{ ref('stg_reference__cadences') }}

),

scored as (

    select
        cadences.cadence_name,
        cadences.cadence,
        cadences.version as cadence_version,
        cadences.source as cadence_source,
        activities.performed_on,
        qualification.kit_version_id as qualification_kit_version_id,
        deal_signals.kit_version_id as deal_signals_kit_version_id
        {%- for measure, kit in measures.items() -%},
        {{ kit }}.{{ measure }},
        {{ kit }}.{{ measure }}_normalised
        {%- endfor %}
    from {{ ref('stg_reference__cadence_activities') }} as activities
    inner join cadences
        on activities.cadence_name = cadences.cadence_name
    inner join qualification
        on activities.conversation_key = qualification.conversation_key
    inner join deal_signals
        on activities.conversation_key = deal_signals.conversation_key

),

averaged as (

    select
        cadence_name,
        max(cadence) as cadence,
        max(cadence_version) as cadence_version,
        max(cadence_source) as cadence_source,
        qualification_kit_version_id,
        deal_signals_kit_version_id,
        count(*) as calls,
        count(*) >= {{ var('minimum_n') }} as has_enough_data,
        {%- for measure in measures %}
        {%- set normalised = measure ~ '_normalised' %}
        {%- set mean, count = 'avg(' ~ normalised ~ ')', 'count(' ~ normalised ~ ')' %}
        {%- set error = standard_error(normalised) %}
        avg({{ measure }}) as {{ measure }},
        {{ mean }} as {{ normalised }},
        {{ mean_lower(mean, error, count) }} as {{ normalised }}_lower,
        {{ mean_upper(mean, error, count) }} as {{ normalised }}_upper,
        {%- endfor %}
        min(performed_on) as first_call_on,
        max(performed_on) as last_call_on
    from scored
    group by cadence_name, qualification_kit_version_id, deal_signals_kit_version_id

),

-- What the others are held against has enough data itself.
compared as (

    select
        *
        {%- for measure in measures -%},
        min(case when has_enough_data then {{ measure }}_normalised end) over (
            partition by qualification_kit_version_id, deal_signals_kit_version_id
        ) as {{ measure }}_lowest,
        max(case when has_enough_data then {{ measure }}_normalised end) over (
            partition by qualification_kit_version_id, deal_signals_kit_version_id
        ) as {{ measure }}_best
        {%- endfor %}
    from averaged

),

final as (

    select
        cadence_name || ':' || qualification_kit_version_id || ':' || deal_signals_kit_version_id
            as cadence_comparison_key,
        cadence_name,
        cadence,
        cadence_version,
        cadence_source,
        qualification_kit_version_id,
        deal_signals_kit_version_id,
        calls,
        has_enough_data,
        {%- for measure in measures %}
        {%- for column in [measure, measure ~ '_normalised', measure ~ '_normalised_lower', measure ~ '_normalised_upper'] %}
        round({{ column }}, 6) as {{ column }},
        {%- endfor %}
        case
            when has_enough_data then round({{ measure }}_normalised / nullif({{ measure }}_lowest, 0), 6)
        end as {{ measure }}_ratio_to_lowest,
        case
            when has_enough_data then round({{ measure }}_normalised / nullif({{ measure }}_best, 0), 6)
        end as {{ measure }}_ratio_to_best,
        {%- endfor %}
        first_call_on,
        last_call_on
    from compared

)

select * from final
