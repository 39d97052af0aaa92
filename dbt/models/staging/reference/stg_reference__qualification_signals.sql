with

source as (
    {{ reference_rows('qualification_signals') }}

),

renamed as (

    select
        deal_type || ':' || signal as qualification_signal_key,
        deal_type,
        signal,
        signal_title,
        kit_name,
        readiness_weight,
        counts_for_coverage,
        counts_for_readiness
    from source

)

select * from renamed
