with

source as (
    {{ reference_rows('stage_probabilities') }}

),

renamed as (

    select
        stage,
        stage_number,
        win_probability
    from source

)

select * from renamed
