{#- Sets a Snowflake session to UTC; DuckDB gets it from the profile. -#}
{% macro utc_session() -%}
    {{ return(adapter.dispatch('utc_session')()) }}
{%- endmacro %}

{% macro duckdb__utc_session() -%}{%- endmacro %}

{% macro snowflake__utc_session() -%}
    alter session set timezone = 'UTC'
{%- endmacro %}


{#- The calendar day of a moment, in UTC whatever the session thinks. -#}
{% macro utc_date(moment) -%}
    {{ return(adapter.dispatch('utc_date')(moment)) }}
{%- endmacro %}

{% macro duckdb__utc_date(moment) -%}
    cast(({{ moment }} at time zone 'UTC') as date)
{%- endmacro %}

{% macro snowflake__utc_date(moment) -%}
    to_date(convert_timezone('UTC', {{ moment }}))
{%- endmacro %}


{#- Seconds from one moment to another, with fractions; negative when they are the other way round. -#}
{% macro seconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('seconds_between')(earlier, later)) }}
{%- endmacro %}

{% macro duckdb__seconds_between(earlier, later) -%}
    (epoch({{ later }}) - epoch({{ earlier }}))
{%- endmacro %}

{% macro snowflake__seconds_between(earlier, later) -%}
    cast(timestampdiff('microsecond', {{ earlier }}, {{ later }}) / 1000000 as double)
{%- endmacro %}


{#- A moment moved by seconds, which may have fractions. -#}
{% macro add_seconds(moment, seconds) -%}
    {{ return(adapter.dispatch('add_seconds')(moment, seconds)) }}
{%- endmacro %}

{% macro duckdb__add_seconds(moment, seconds) -%}
    ({{ moment }} + to_seconds({{ seconds }}))
{%- endmacro %}

{% macro snowflake__add_seconds(moment, seconds) -%}
    timestampadd('microsecond', cast(round({{ seconds }} * 1000000) as bigint), {{ moment }})
{%- endmacro %}


{#- A moment as text with its microseconds, in UTC: how one query's answer gets into another. -#}
{% macro utc_text(moment) -%}
    {{ return(adapter.dispatch('utc_text')(moment)) }}
{%- endmacro %}

{% macro duckdb__utc_text(moment) -%}
    strftime(({{ moment }}) at time zone 'UTC', '%Y-%m-%d %H:%M:%S.%f+00:00')
{%- endmacro %}

{% macro snowflake__utc_text(moment) -%}
    to_char(convert_timezone('UTC', {{ moment }}), 'YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')
{%- endmacro %}
