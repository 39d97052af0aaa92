-- What was said stays in the schema staging, whoever stacks it.
{{ config(schema='staging') }}

with

unioned as (
    {{ union_vendors('utterances', [
        'utterance_key', 'conversation_key', 'position', 'speaker', 'speaker_role', 'utterance_text',
        'loaded_at',
    ]) }}

)

select * from unioned
