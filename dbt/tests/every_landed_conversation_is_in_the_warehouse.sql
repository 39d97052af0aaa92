select ledger.conversation_key
from {{ ref('stg_pipeline__ledger') }} as ledger
left join {{ ref('int_conversations__unioned') }} as conversations
    on ledger.conversation_key = conversations.conversation_key
where
    ledger.status = 'landed'
    and conversations.conversation_key is null
