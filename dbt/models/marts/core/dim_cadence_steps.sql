with

steps as (

    select * from {{ ref('stg_reference__cadence_steps') }}

),

cadences as (

    select * from {{ ref('stg_reference__cadences') }}

),

final as (

    select
        steps.cadence_step_key,
        steps.cadence_name,
        coalesce(cadences.cadence, steps.cadence_name) as cadence,
        cadences.version as cadence_version,
        cadences.source as cadence_source,
        steps.step_number,
        steps.step_name,
        steps.channel,
        coalesce(steps.step_number = max(steps.step_number) over (partition by steps.cadence_name), false) as is_last_step
    from steps
    left join cadences
        on steps.cadence_name = cadences.cadence_name

)

select * from final
