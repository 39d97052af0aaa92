{%- set score_bricks = var('framework_scores') %}

with

steps as (

    select * from {{ ref('methodology_adherence') }}

),

told as (

    select
        conversation_key,
        kit_version_id,
        max(case when brick_key = 'deviation' then value_text end) as deviation,
        max(
            case
                {%- for kit, brick in score_bricks.items() %}
                when kit_name = '{{ kit }}' and brick_key = '{{ brick }}' then value_number
                {%- endfor %}
            end
        ) as score,
        max(
            case
                {%- for kit, brick in score_bricks.items() %}
                when kit_name = '{{ kit }}' and brick_key = '{{ brick }}' then value_normalised
                {%- endfor %}
            end
        ) as score_normalised
    from {{ ref('fct_brick_values') }}
    where
        is_latest
        and kit_name in (select steps.kit_name from steps)
    group by conversation_key, kit_version_id

),

calls as (

    select
        conversation_key,
        framework,
        kit_name,
        kit_version_id,
        max(vendor) as vendor,
        max(started_on) as started_on,
        max(rep_key) as rep_key,
        max(deal_stage) as deal_stage,
        max(opportunity_id) as opportunity_id,
        count(*) as steps_expected,
        count(case when is_covered then 1 end) as steps_followed,
        count(case when not is_covered then 1 end) as steps_skipped,
        {{ dbt.listagg('case when not is_covered then element end', "', '", 'order by element_number') }} as skipped_steps
    from steps
    group by conversation_key, framework, kit_name, kit_version_id

),

final as (

    select
        calls.conversation_key || ':' || calls.kit_version_id as adherence_call_key,
        calls.conversation_key,
        calls.vendor,
        calls.started_on,
        cast({{ dbt.date_trunc('week', 'calls.started_on') }} as date) as week_start,
        calls.rep_key,
        calls.deal_stage,
        calls.opportunity_id,
        calls.framework,
        calls.kit_name,
        calls.kit_version_id,
        calls.steps_expected,
        calls.steps_followed,
        calls.steps_skipped,
        nullif(calls.skipped_steps, '') as skipped_steps,
        round(cast(calls.steps_followed as double) / nullif(calls.steps_followed + calls.steps_skipped, 0), 6) as step_share,
        told.score,
        told.score_normalised,
        told.deviation
    from calls
    inner join told
        on
            calls.conversation_key = told.conversation_key
            and calls.kit_version_id = told.kit_version_id

)

select * from final
