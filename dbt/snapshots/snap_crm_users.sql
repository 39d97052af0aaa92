{% snapshot snap_crm_users %}

{{ config(unique_key='user_id', enabled='crm_users' in tables_without_past()) }}

{{ current_states('crm_users') }}

{% endsnapshot %}
