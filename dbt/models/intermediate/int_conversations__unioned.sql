with

unioned as (
    {{ union_vendors('conversations', conversation_columns()) }}

)

select * from unioned
