{{ config(severity='warn') }}

select latest.latest_score_key
from {{ ref('int_scores__latest') }} as latest
left join {{ ref('int_conversations__unioned') }} as conversations
    on latest.conversation_key = conversations.conversation_key
where conversations.conversation_key is null
