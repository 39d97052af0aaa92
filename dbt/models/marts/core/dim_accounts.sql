with

accounts as (

    select * from {{ ref('stg_crm__accounts') }}

),

contacts as (

    select
        account_id,
        count(*) as contact_count
    from {{ ref('stg_crm__contacts') }}
    group by account_id

),

opportunities as (

    select
        account_id,
        count(case when not is_closed then 1 end) as open_opportunity_count,
        count(case when is_won then 1 end) as won_opportunity_count,
        sum(case when not is_closed then amount_usd end) as open_amount_usd
    from {{ ref('stg_crm__opportunities') }}
    group by account_id

),

final as (

    select
        accounts.account_id,
        accounts.name as account_name,
        accounts.domain,
        accounts.territory,
        accounts.state,
        accounts.segment,
        accounts.industry,
        accounts.service_customer_id,
        coalesce(contacts.contact_count, 0) as contact_count,
        coalesce(opportunities.open_opportunity_count, 0) as open_opportunity_count,
        coalesce(opportunities.won_opportunity_count, 0) as won_opportunity_count,
        coalesce(opportunities.open_amount_usd, 0) as open_amount_usd
    from accounts
    left join contacts
        on accounts.account_id = contacts.account_id
    left join opportunities
        on accounts.account_id = opportunities.account_id

)

select * from final
