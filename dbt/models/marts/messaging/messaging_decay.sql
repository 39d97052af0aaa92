with

calls as (

    select
        element,
        kit_version_id,
        cast(days_since_enablement as double) as days,
        cast(case when is_approved then 1 else 0 end as double) as approved
    from {{ ref('messaging_drift_elements') }}
    where days_since_enablement is not null

),

sums as (

    select
        element,
        kit_version_id,
        count(*) as call_count,
        avg(approved) as approved_share,
        avg(days) as mean_days,
        sum(days * days) - count(*) * avg(days) * avg(days) as days_squares,
        sum(days * approved) - count(*) * avg(days) * avg(approved) as products,
        sum(approved * approved) - count(*) * avg(approved) * avg(approved) as approved_squares
    from calls
    group by element, kit_version_id

),

-- The straight line through all calls; its slope's standard error by least squares.
lines as (

    select
        *,
        case when days_squares > 0.000001 then products / days_squares end as slope,
        case
            when days_squares > 0.000001 and call_count > 2 then
                sqrt(
                    case
                        when approved_squares > products * products / days_squares
                            then approved_squares - products * products / days_squares
                        else 0
                    end / (call_count - 2) / days_squares
                )
        end as slope_error
    from sums

),

decays as (

    select
        *,
        call_count >= {{ var('minimum_n') }} and slope_error is not null as has_enough_data,
        round(100 * 30 * slope, 6) as points_per_30_days,
        round(100 * 30 * (slope - {{ normal_quantile() }} * slope_error), 6) as points_per_30_days_lower,
        round(100 * 30 * (slope + {{ normal_quantile() }} * slope_error), 6) as points_per_30_days_upper
    from lines

),

-- The place among those that can be told, the steepest fall first.
ranked as (

    select
        *,
        case
            when has_enough_data
                then row_number() over (
                    partition by kit_version_id
                    order by case when has_enough_data then 0 else 1 end asc, points_per_30_days asc, element asc
                )
        end as decay_rank
    from decays

),

compared as (

    select
        *,
        min(case when decay_rank > 1 then points_per_30_days_lower end) over (
            partition by kit_version_id
        ) as lowest_of_others
    from ranked

),

final as (

    select
        element || ':' || kit_version_id as decay_key,
        element,
        kit_version_id,
        call_count,
        approved_share,
        has_enough_data,
        points_per_30_days,
        points_per_30_days_lower,
        points_per_30_days_upper,
        decay_rank,
        case
            when not has_enough_data then 'not_enough_data'
            when points_per_30_days_upper >= 0 then 'no_clear_decay'
            when decay_rank > 1 then 'decays'
            when lowest_of_others is null then 'decays'
            when points_per_30_days_upper < lowest_of_others then 'decays_fastest'
            else 'decays_fastest_not_clearly'
        end as decay_status
    from compared

)

select * from final
