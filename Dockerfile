# The image of every Airflow service in docker-compose.yml, and of the sandbox.
#
# Both environments are made by the script and from the hash-checked locks that the tests use, in
# the places where they are in a clone. The second stage leaves pip's and uv's caches behind, and
# the slim image has no compiler: every package comes as a wheel.
#
# The digest is what is built on, whatever becomes of the tag. To renew it:
#   docker buildx imagetools inspect python:3.12-slim-bookworm --format '{{.Manifest.Digest}}'
FROM python:3.12-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254 AS environments
WORKDIR /opt/pipeline
COPY .ci/setup.sh .ci/setup.sh
COPY requirements.txt requirements.txt
COPY dbt/requirements.txt dbt/requirements.txt
# Copies rather than links into a cache that is not taken along.
ENV UV_LINK_MODE=copy UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1
RUN sh .ci/setup.sh runtime dbt

FROM python:3.12-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254
# Volumes take their owner from these folders. The code stays root's: tasks cannot change it.
RUN useradd --uid 50000 --gid 0 --home-dir /opt/airflow --create-home airflow \
    && mkdir -p /opt/airflow/logs /opt/airflow/warehouse \
    && chown -R airflow:root /opt/airflow
WORKDIR /opt/pipeline
COPY --from=environments /opt/pipeline/.venv .venv
COPY --from=environments /opt/pipeline/.venv-dbt .venv-dbt
COPY include include
COPY plugins plugins
COPY dbt dbt
COPY dags dags
# The root is never on the path: the folder dbt/ would join the package dbt.
ENV PATH=/opt/pipeline/.venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/opt/pipeline/include:/opt/pipeline/plugins \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    DBT_BIN=/opt/pipeline/.venv-dbt/bin/dbt \
    DBT_PROJECT_DIR=/opt/pipeline/dbt \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/pipeline/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/pipeline/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False
USER airflow
WORKDIR /opt/airflow
