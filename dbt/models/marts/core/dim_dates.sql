{%- set first = modules.datetime.date.fromisoformat(var('first_date')) -%}
{%- set last = modules.datetime.date.fromisoformat(var('last_date')) -%}

with

numbers as (
    {{ dbt.generate_series((last - first).days + 1) }}

),

days as (

    select cast({{ dbt.dateadd('day', 'cast(generated_number as integer) - 1', "cast('" ~ first ~ "' as date)") }} as date) as date_day
    from numbers

),

described as (

    select
        date_day,
        cast({{ dbt.date_trunc('week', 'date_day') }} as date) as week_start,
        cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_start,
        cast({{ dbt.date_trunc('quarter', 'date_day') }} as date) as quarter_start,
        cast(extract(year from date_day) as bigint) as year_number,
        cast(extract(quarter from date_day) as bigint) as quarter_number,
        cast(extract(month from date_day) as bigint) as month_number
    from days

),

numbered as (

    select
        *,
        cast({{ dbt.datediff('week_start', 'date_day', 'day') }} + 1 as bigint) as iso_day_of_week
    from described

),

final as (

    select
        *,
        iso_day_of_week > 5 as is_weekend
    from numbered

)

select * from final
