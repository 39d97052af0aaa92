with

unioned as (
    {{ union_vendors('utterances', utterance_columns()) }}

)

select * from unioned
