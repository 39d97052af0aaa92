{%- set bricks = ['compliance_score', 'empathy_score', 'escalation_risk'] %}

with

quality as (
    {{ latest_bricks('interaction_quality', numbers=bricks) }}

),

contacts as (

    select
        contact_id,
        account_id,
        name,
        email,
        count(*) over (partition by email) as contacts_with_address
    from {{ ref('stg_crm__contacts') }}
    where email is not null

),

-- A contact may be in a conversation's list twice.
taken_part as (

    select distinct
        contacts.contact_id,
        participants.conversation_key
    from {{ ref('int_conversations__participants') }} as participants
    inner join contacts
        on participants.participant_email = contacts.email

),

scored as (

    select
        taken_part.contact_id,
        taken_part.conversation_key,
        conversations.vendor,
        conversations.started_on,
        conversations.started_at,
        quality.kit_version_id,
        quality.scored_at,
        {%- for brick in bricks %}
        quality.{{ brick }},
        quality.{{ brick }}_normalised{{ "," if not loop.last }}
        {%- endfor %}
    from taken_part
    inner join {{ ref('fct_conversations') }} as conversations
        on taken_part.conversation_key = conversations.conversation_key
    inner join quality
        on taken_part.conversation_key = quality.conversation_key

),

latest as (

    select *
    from scored
    qualify row_number() over (
        partition by contact_id
        order by started_at desc, conversation_key desc
    ) = 1

),

-- Only what the version behind the last score has scored: versions are never averaged together.
averaged as (

    select
        latest.contact_id,
        count(case when scored.kit_version_id = latest.kit_version_id then 1 end) as window_conversation_count,
        count(case when scored.kit_version_id <> latest.kit_version_id then 1 end) as window_other_version_count,
        {%- for brick in bricks %}
        avg(case when scored.kit_version_id = latest.kit_version_id then scored.{{ brick }} end) as {{ brick }}_mean,
        avg(case when scored.kit_version_id = latest.kit_version_id then scored.{{ brick }}_normalised end)
            as {{ brick }}_mean_normalised{{ "," if not loop.last }}
        {%- endfor %}
    from latest
    inner join scored
        on latest.contact_id = scored.contact_id
    where
        scored.started_on > {{ dbt.dateadd('day', -var('contact_window_days'), as_of()) }}
        and scored.started_on <= {{ as_of() }}
    group by latest.contact_id

),

final as (

    select
        latest.contact_id,
        contacts.account_id,
        contacts.name as contact_name,
        contacts.email as contact_email,
        contacts.contacts_with_address,
        latest.conversation_key,
        latest.vendor,
        latest.started_on,
        latest.scored_at,
        latest.kit_version_id,
        {%- for brick in bricks %}
        latest.{{ brick }},
        latest.{{ brick }}_normalised,
        averaged.{{ brick }}_mean,
        averaged.{{ brick }}_mean_normalised,
        {%- endfor %}
        coalesce(averaged.window_conversation_count, 0) as window_conversation_count,
        coalesce(averaged.window_other_version_count, 0) as window_other_version_count,
        coalesce(averaged.window_conversation_count, 0) >= {{ var('minimum_n') }} as has_enough_data
    from latest
    inner join contacts
        on latest.contact_id = contacts.contact_id
    left join averaged
        on latest.contact_id = averaged.contact_id

)

select * from final
