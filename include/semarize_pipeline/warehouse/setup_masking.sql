-- == Masking (Enterprise edition or higher)

-- for: a schema for the policies that neither the loader nor dbt may enter
use role accountadmin;
create schema if not exists ${database}.governance with managed access comment = 'Tags and masking policies';

-- for: who has ${text_role} sees the text, everybody else sees that there is one
create masking policy if not exists ${database}.governance.said_as_text as (said varchar) returns varchar -> case when said is null or is_role_in_session('${text_role}') then said else '(masked)' end;
create masking policy if not exists ${database}.governance.said_as_json as (said variant) returns variant -> case when said is null or is_role_in_session('${text_role}') then said else to_variant('(masked)') end;

-- for: the same once more for policies that were there before, with another role in them
alter masking policy ${database}.governance.said_as_text set body -> case when said is null or is_role_in_session('${text_role}') then said else '(masked)' end;
alter masking policy ${database}.governance.said_as_json set body -> case when said is null or is_role_in_session('${text_role}') then said else to_variant('(masked)') end;

-- for: one tag on every column with words that people said, which follows them into views and tables
create tag if not exists ${database}.governance.what_was_said propagate = on_dependency_and_data_movement comment = 'Words of a conversation, or a quotation from it';
alter tag ${database}.governance.what_was_said set masking policy ${database}.governance.said_as_text, masking policy ${database}.governance.said_as_json force;

-- for: the columns of landing that hold them (run this again when a vendor was added)
${tagged_columns}
