with

opportunities as (

    select * from {{ ref('stg_crm__opportunities') }}

),

accounts as (

    select * from {{ ref('stg_crm__accounts') }}

),

stages as (

    select * from {{ ref('stg_reference__stage_probabilities') }}

),

final as (

    select
        ---------- ids
        opportunities.opportunity_id,
        opportunities.account_id,
        opportunities.owner_user_id,
        opportunities.owner_email,

        ---------- what it is
        opportunities.name as opportunity_name,
        accounts.name as account_name,
        opportunities.product,
        opportunities.deal_type,
        coalesce(opportunities.segment, accounts.segment) as segment,
        accounts.territory,

        ---------- where it stands
        opportunities.stage,
        stages.stage_number,
        opportunities.amount_usd,
        stages.win_probability as stage_win_probability,
        opportunities.amount_usd * stages.win_probability as stage_weighted_amount_usd,
        opportunities.seats,
        opportunities.is_closed,
        opportunities.is_won,

        ---------- when
        opportunities.created_on,
        opportunities.expected_close_on,
        opportunities.closed_on,
        opportunities.known_from as stage_since_on,
        cast({{ dbt.datediff('opportunities.created_on', 'coalesce(opportunities.closed_on, ' ~ as_of() ~ ')', 'day') }} as bigint) as days_open
    from opportunities
    left join accounts
        on opportunities.account_id = accounts.account_id
    left join stages
        on opportunities.stage = stages.stage

)

select * from final
