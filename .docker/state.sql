-- The state database of the pipeline (state_default), beside Airflow's own.
CREATE DATABASE state OWNER airflow;
