-- What the pipeline needs in a Snowflake account. A template: `make snowflake-plan` fills in the
-- names and prints it, and nothing in this project runs it. Every statement may be run again: none
-- drops, replaces or empties anything. docs/snowflake-setup.md explains the choices.

-- == Roles

-- for: the roles, each with one purpose
use role useradmin;
create role if not exists ${loader_role} comment = 'Lands conversations and scores in landing';
create role if not exists ${transformer_role} comment = 'Reads landing, builds staging, intermediate and marts';
create role if not exists ${reporter_role} comment = 'Reads marts, nothing else';
create role if not exists ${text_role} comment = 'Sees what was said, where masking hides it';
create role if not exists ${pipeline_role} comment = 'The role that warehouse_default logs in with';

-- for: one login for loading and for dbt, and every role below SYSADMIN
use role securityadmin;
grant role ${text_role} to role ${loader_role};
grant role ${text_role} to role ${transformer_role};
grant role ${loader_role} to role ${pipeline_role};
grant role ${transformer_role} to role ${pipeline_role};
grant role ${pipeline_role} to role sysadmin;
grant role ${reporter_role} to role sysadmin;

-- == Virtual warehouses

-- for: one small warehouse per purpose, which starts when it is needed and stops when it is idle
use role sysadmin;
create warehouse if not exists ${loading_warehouse} warehouse_size = xsmall initially_suspended = true comment = 'Loading';
create warehouse if not exists ${transforming_warehouse} warehouse_size = xsmall initially_suspended = true comment = 'dbt';
create warehouse if not exists ${reporting_warehouse} warehouse_size = xsmall initially_suspended = true comment = 'Dashboards';

-- for: what bounds their cost, set again on every run (a size changed by hand stays)
alter warehouse ${loading_warehouse} set auto_suspend = ${auto_suspend_seconds} auto_resume = true statement_timeout_in_seconds = ${loading_timeout_seconds} statement_queued_timeout_in_seconds = ${queued_timeout_seconds};
alter warehouse ${transforming_warehouse} set auto_suspend = ${auto_suspend_seconds} auto_resume = true statement_timeout_in_seconds = ${transforming_timeout_seconds} statement_queued_timeout_in_seconds = ${queued_timeout_seconds};
alter warehouse ${reporting_warehouse} set auto_suspend = ${auto_suspend_seconds} auto_resume = true statement_timeout_in_seconds = ${reporting_timeout_seconds} statement_queued_timeout_in_seconds = ${queued_timeout_seconds};

-- == Database and schemas

-- for: one place for all of it, owned by SYSADMIN
create database if not exists ${database} comment = 'Conversations and their scores';

-- for: the schemas, whose owner alone grants access to what they hold
create schema if not exists ${database}.landing with managed access comment = 'As it arrived, made and kept by the loader';
create schema if not exists ${database}.snapshots with managed access comment = 'Kept by dbt: past states of CRM tables that have none';
create transient schema if not exists ${database}.staging with managed access comment = 'Made by dbt: one view per landing table';
create transient schema if not exists ${database}.intermediate with managed access comment = 'Made by dbt: views between staging and marts';
create transient schema if not exists ${database}.marts with managed access comment = 'Made by dbt: what dashboards read';
create transient schema if not exists ${database}.workforce with managed access comment = 'Made by dbt: marts about people at work, for HR';

-- for: how many days a deleted or changed row can still be had back
alter schema ${database}.landing set data_retention_time_in_days = ${landing_retention_days};
alter schema ${database}.snapshots set data_retention_time_in_days = ${landing_retention_days};
alter schema ${database}.staging set data_retention_time_in_days = 0;
alter schema ${database}.intermediate set data_retention_time_in_days = 0;
alter schema ${database}.marts set data_retention_time_in_days = ${marts_retention_days};
alter schema ${database}.workforce set data_retention_time_in_days = 0;

-- == Grants

-- for: the loader makes tables in landing, owns them, and so may change and fill them
use role securityadmin;
grant usage on database ${database} to role ${loader_role};
grant usage, create table on schema ${database}.landing to role ${loader_role};
grant usage on warehouse ${loading_warehouse} to role ${loader_role};

-- for: dbt reads landing, and makes and owns what is in its five schemas (nobody else is let into
-- for: workforce here: who may see marts about people at work is for HR to say)
grant usage on database ${database} to role ${transformer_role};
grant usage on schema ${database}.landing to role ${transformer_role};
grant select on all tables in schema ${database}.landing to role ${transformer_role};
grant select on future tables in schema ${database}.landing to role ${transformer_role};
grant usage, create table on schema ${database}.snapshots to role ${transformer_role};
grant usage, create table, create view on schema ${database}.staging to role ${transformer_role};
grant usage, create table, create view on schema ${database}.intermediate to role ${transformer_role};
grant usage, create table, create view on schema ${database}.marts to role ${transformer_role};
grant usage, create table, create view on schema ${database}.workforce to role ${transformer_role};
grant usage on warehouse ${transforming_warehouse} to role ${transformer_role};

-- for: dashboards read marts and nothing else
grant usage on database ${database} to role ${reporter_role};
grant usage on schema ${database}.marts to role ${reporter_role};
grant select on all tables in schema ${database}.marts to role ${reporter_role};
grant select on future tables in schema ${database}.marts to role ${reporter_role};
grant select on all views in schema ${database}.marts to role ${reporter_role};
grant select on future views in schema ${database}.marts to role ${reporter_role};
grant usage on warehouse ${reporting_warehouse} to role ${reporter_role};

-- == Service user

-- for: who logs in: a user of this type has no password. Where your account has network
-- for: policies, let this user in from Airflow's addresses: alter user ... set network_policy = ...
use role useradmin;
create user if not exists ${service_user} type = service default_role = ${pipeline_role} default_warehouse = ${loading_warehouse} default_namespace = ${database}.landing comment = 'warehouse_default of the conversations pipeline';

-- for: the public half of its key pair (the private half stays in warehouse_default)
alter user ${service_user} set rsa_public_key = '${public_key}';

-- for: the one role it needs
use role securityadmin;
grant role ${pipeline_role} to user ${service_user};

-- == Resource monitor

-- for: a ceiling on credits a month: at the quota nothing new starts, and 10 percent later all stops
use role accountadmin;
create resource monitor if not exists ${resource_monitor} with credit_quota = ${monthly_credits} frequency = monthly start_timestamp = immediately triggers on 75 percent do notify on 90 percent do notify on 100 percent do suspend on 110 percent do suspend_immediate;
alter resource monitor ${resource_monitor} set credit_quota = ${monthly_credits};
alter warehouse ${loading_warehouse} set resource_monitor = ${resource_monitor};
alter warehouse ${transforming_warehouse} set resource_monitor = ${resource_monitor};
alter warehouse ${reporting_warehouse} set resource_monitor = ${resource_monitor};

-- == Landing tables

-- for: the tables as the loader would make them, so that masking has columns to be set on
use role ${loader_role};
use database ${database};
${landing_tables}
