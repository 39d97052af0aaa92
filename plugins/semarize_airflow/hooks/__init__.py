"""From Airflow connections to the pipeline's collaborators."""
