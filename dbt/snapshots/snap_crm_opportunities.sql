{% snapshot snap_crm_opportunities %}

{{ config(unique_key='opportunity_id', enabled='crm_opportunities' in tables_without_past()) }}

{{ current_states('crm_opportunities') }}

{% endsnapshot %}
