{#- The incremental strategy of every model that grows: the rows of what changed go, and those
    that the model gives come, in one transaction. Unlike delete+insert it also removes what the
    model gives no row for any more. Keys that come go by themselves too, since a model with a new
    column gives all of them, and by now has the column. -#}
{% macro get_incremental_replace_changed_sql(arg_dict) -%}
    {%- set target, rows = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set key = arg_dict['unique_key'] -%}
    {%- set key = (key if key is string else key | join(', ')) -%}
    {%- set statements -%}
    delete from {{ target }}
    where {{ is_changed() }};

    delete from {{ target }}
    where ({{ key }}) in (select {{ key }} from {{ rows }});

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ rows }}
    {%- endset -%}
    {{ return(adapter.dispatch('in_one_transaction')(statements)) }}
{%- endmacro %}


{#- Whether the model's own table is there to be built on. A unit test has none, and compiling
    without a connection cannot look. -#}
{% macro builds_on_itself() -%}
    {{ return(flags.INTROSPECT and this and is_incremental()) }}
{%- endmacro %}


{#- What a model looks back to: since when it has not read, or that it must be built whole,
    because it is empty, a column is new, or a scale has changed under a model that uses scales. -#}
{% macro since_last_build() -%}
    {%- set newest = newest_moment(this, 'built_at') -%}
    {%- set there = adapter.get_columns_in_relation(this) | map(attribute='name') | map('lower') | list -%}
    {%- set wanted = model.columns.keys() | list + var('kits').get(config.get('meta').get('kit'), {}).keys() | list -%}
    {%- set missing = wanted | map('lower') | reject('in', there) | list -%}
    {%- if newest is none or missing -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set since = moment_literal(newest) -%}
    {%- if 'brick_scales' in config.get('meta').get('reads', []) -%}
        {%- set rescaled -%}
            select count(*) from {{ ref('int_landing__batches_read') }}
            where family = 'brick_scales' and built_at > {{ since }}
        {%- endset -%}
        {%- if run_query(rescaled).rows[0][0] > 0 -%}
            {{ return(none) }}
        {%- endif -%}
    {%- endif -%}
    {{ return(since) }}
{%- endmacro %}


{#- The condition on rows that this build must make anew; true for all of them in a full refresh.
    A model says in its `meta` what that depends on:
      reads: landing tables, when it has one or more rows per conversation;
      kit: the kit whose bricks are its columns;
      groups: the model it sums up, its group columns, and the column that counts that model's rows;
      also: a macro that selects further keys, for what changes without landing.
    `family` says that the rows come straight from that landing table, so that only the batches
    with the rows wanted are read. -#}
{% macro is_changed(family=none) -%}
    {%- if not builds_on_itself() -%}
        {{ return('true') }}
    {%- elif flags.EMPTY -%}
        {{ return('false') }}
    {%- endif -%}
    {%- set since = since_last_build() -%}
    {%- if since is none -%}
        {{ return('true') }}
    {%- endif -%}
    {%- set meta = config.get('meta') -%}
    {%- if 'groups' in meta -%}
        {{ return(is_in_changed_group(meta['groups'], meta.get('also'), since)) }}
    {%- endif -%}
    {%- set changed %}
        select conversation_key
        from {{ ref('int_landing__batches_read') }}
        where
            family in ('{{ meta['reads'] | join("', '") }}')
            and built_at > {{ since }}
        {%- if meta.get('also') %}

        union all

        {{ context[meta['also']](since) }}
        {%- endif %}
    {% endset -%}
    {%- if family is none -%}
        {{ return('conversation_key in (' ~ changed ~ ')') }}
    {%- endif -%}
    {%- set stamps %}
        select distinct {{ utc_text('loaded_at') }}
        from {{ ref('int_landing__batches_read') }}
        where
            family = '{{ family }}'
            and row_count > 0
            and conversation_key in ({{ changed }})
    {%- endset -%}
    {%- set moments = run_query(stamps).rows | map('first') | list -%}
    {{ return('(' ~ at_moments('loaded_at', moments) ~ ' and conversation_key in (' ~ changed ~ '))') }}
{%- endmacro %}


{#- The groups whose rows are not those that were summed up: another number of them, or one that
    was built since. Rows that left a group change its number, rows that came are newer. -#}
{% macro is_in_changed_group(groups, also, since) -%}
    {%- set keys = groups['by'] %}
    exists (
        select 1
        from (
            select
                {%- for key in keys %}
                coalesce(there.{{ key }}, here.{{ key }}) as changed_{{ key }}{{ "," if not loop.last }}
                {%- endfor %}
            from (
                select {{ keys | join(', ') }}, count(*) as row_count, max(built_at) as built_at
                from {{ ref(groups['of']) }}
                group by {{ keys | join(', ') }}
            ) as there
            full outer join (
                select {{ keys | join(', ') }}, sum({{ groups['counted'] }}) as row_count, max(built_at) as built_at
                from {{ this }}
                group by {{ keys | join(', ') }}
            ) as here
                on
                    {%- for key in keys %}
                    {{ "and" if not loop.first }} there.{{ key }} = here.{{ key }}
                    {%- endfor %}
            where
                coalesce(there.row_count, 0) <> coalesce(here.row_count, 0)
                or there.built_at > here.built_at
            {%- if also %}

            union all

            {{ context[also](since) }}
            {%- endif %}
        ) as changed
        where
            {%- for key in keys %}
            {{ "and" if not loop.first }} changed.changed_{{ key }} = {{ key }}
            {%- endfor %}
    )
{%- endmacro %}
