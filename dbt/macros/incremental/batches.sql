{#- The landing tables that rows of a conversation come from, each as a query that gives vendor,
    conversation_key and loaded_at. -#}
{% macro landing_families() -%}
    {%- set columns = ['vendor', 'conversation_key', 'loaded_at'] -%}
    {%- set families = {
        'conversations': union_vendors('conversations', columns),
        'utterances': union_vendors('utterances', columns),
        'ledger': select_columns(ref('stg_pipeline__ledger'), columns),
        'runs': select_columns(ref('stg_semarize__runs'), columns),
        'signals': select_columns(ref('stg_semarize__signals'), columns),
    } -%}
    {%- for kit in var('kits') -%}
        {%- do families.update({
            'scores__' ~ kit: select_columns(ref('stg_semarize__' ~ kit ~ '_scores'), columns)
        }) -%}
    {%- endfor -%}
    {{ return(families) }}
{%- endmacro %}


{% macro select_columns(relation, columns) -%}
    select {{ columns | join(', ') }} from {{ relation }}
{%- endmacro %}


{#- Which batches are there and were not read, or not read as they are now: the stamps of each
    landing table whose number of rows differs from what was read. One narrow column is read. -#}
{% macro unread_stamps() -%}
    {%- set unread = {} -%}
    {%- set hours = var('late_batch_hours') -%}
    {%- set query %}
    with

    landed as (
        {%- for family, rows in landing_families().items() %}
        select
            '{{ family }}' as family,
            vendor,
            loaded_at,
            count(*) as row_count
        from ({{ rows }}) as landed_rows
        {{ since_the_last(hours) }}
        group by vendor, loaded_at
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    ),

    seen as (
        select
            family,
            vendor,
            loaded_at,
            sum(row_count) as row_count
        from {{ this }}
        where
            family <> 'brick_scales'
            {{ since_the_last(hours) | replace('where', 'and') }}
        group by family, vendor, loaded_at
    )

    select distinct
        coalesce(landed.family, seen.family) as family,
        {{ utc_text('coalesce(landed.loaded_at, seen.loaded_at)') }} as stamp
    from landed
    full outer join seen
        on
            landed.family = seen.family
            and landed.vendor = seen.vendor
            and landed.loaded_at = seen.loaded_at
    where coalesce(landed.row_count, 0) <> coalesce(seen.row_count, 0)
    {%- endset -%}
    {%- for row in run_query(query).rows -%}
        {%- do unread.setdefault(row[0], []).append(row[1]) -%}
    {%- endfor -%}
    {{ return(unread) }}
{%- endmacro %}


{#- Bounds how old a batch may be that is still looked for; no bound without `late_batch_hours`. -#}
{% macro since_the_last(hours) -%}
    {%- if hours is not none -%}
        {%- set newest = newest_moment(this, 'loaded_at') -%}
        {%- if newest is not none -%}
            where loaded_at >= {{ add_seconds(moment_literal(newest), -3600 * hours) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{#- The newest moment in a column, as text; none when there is no row. -#}
{% macro newest_moment(relation, column) -%}
    {%- set found = run_query("select " ~ utc_text("max(" ~ column ~ ")") ~ " from " ~ relation) -%}
    {{ return(found.rows[0][0]) }}
{%- endmacro %}


{#- A condition on moments that the warehouse can use to skip what does not fit: each of them while
    they are few, else from the oldest on. -#}
{% macro at_moments(column, moments) -%}
    {%- if not moments -%}
        false
    {%- elif moments | length <= 500 -%}
        {{ column }} in (
            {%- for moment in moments | sort %}
            {{ moment_literal(moment) }}{{ "," if not loop.last }}
            {%- endfor %}
        )
    {%- else -%}
        {{ column }} >= {{ moment_literal(moments | min) }}
    {%- endif -%}
{%- endmacro %}
