with

accounts as (

    select
        territory,
        count(*) as account_count
    from {{ ref('stg_crm__accounts') }}
    where territory is not null
    group by territory

),

users as (

    select
        territory,
        count(*) as rep_count
    from {{ ref('stg_crm__users') }}
    where
        territory is not null
        and left_on is null
    group by territory

),

opportunities as (

    select
        accounts.territory,
        count(case when not opportunities.is_closed then 1 end) as open_opportunity_count,
        sum(case when not opportunities.is_closed then opportunities.amount_usd end) as open_amount_usd
    from {{ ref('stg_crm__opportunities') }} as opportunities
    inner join {{ ref('stg_crm__accounts') }} as accounts
        on opportunities.account_id = accounts.account_id
    group by accounts.territory

),

territories as (

    select territory from accounts

    union distinct

    select territory from users

),

final as (

    select
        territories.territory,
        coalesce(accounts.account_count, 0) as account_count,
        coalesce(users.rep_count, 0) as rep_count,
        coalesce(opportunities.open_opportunity_count, 0) as open_opportunity_count,
        coalesce(opportunities.open_amount_usd, 0) as open_amount_usd
    from territories
    left join accounts
        on territories.territory = accounts.territory
    left join users
        on territories.territory = users.territory
    left join opportunities
        on territories.territory = opportunities.territory

)

select * from final
