# `make` lists the commands. All of them set up what they need first; a second time that is
# nothing. PYTHON=/path/to/python3.12 chooses the Python of a new set-up.

.DEFAULT_GOAL := help
SHELL := /bin/sh
CODE := dags include plugins tests benchmarks
SETUP := PYTHON="$(PYTHON)" sh .ci/setup.sh
# The root is never on the path: the folder dbt/ would join the package dbt.
RUN := PYTHONPATH="$(CURDIR)/include:$(CURDIR)/plugins" PYTHONSAFEPATH=1 .venv/bin/python
# Whatever imports Airflow in a test finds a folder of the project, not the one in the home.
TEST := AIRFLOW_HOME="$(CURDIR)/.runtime/test" DBT_BIN="$(CURDIR)/.venv-dbt/bin/dbt" PYTHONSAFEPATH=1 \
	.venv/bin/python -m pytest
# Two processes: much of the time is waiting. A file stays in one, with what its tests share; the
# order is that of tests/longest_first.py.
SIDE_BY_SIDE := -n 2 --dist loadfile --no-loadscope-reorder
# One environment and one set of variables, or dbt would parse anew; snapshots are there with these.
DBT_OF_CHECK := DBT_DUCKDB_PATH=":memory:" DBT_TARGET_PATH="$(CURDIR)/dbt/target"
EVERY_NODE := {reference: {current_only: [crm_opportunities, crm_users]}}

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: ## install everything into .venv, .venv-dbt and .venv-emulator (Python 3.11 to 3.13 is all it wants)
	@$(SETUP) tests dbt

.PHONY: demo
demo: ## the whole pipeline once, against a sandbox: no account, nothing left running
	@$(SETUP) runtime dbt
	@$(RUN) -m semarize_airflow.local demo

.PHONY: calls
calls: ## FILE=calls.jsonl: a file of calls through every vendor's API and DAG, reconciled
	@$(SETUP) runtime dbt
	@$(RUN) -m semarize_airflow.local calls "$(FILE)"

.PHONY: up
up: ## Airflow (http://localhost:8080), dashboards (:8501) and the sandbox, until `make down`
	@$(SETUP) runtime dbt
	@$(RUN) -m semarize_airflow.local up

.PHONY: dashboards
dashboards: ## the dashboards alone, over the warehouse of AIRFLOW_CONN_WAREHOUSE_DEFAULT; Ctrl-C ends them
	@$(SETUP) runtime
	@$(RUN) -m semarize_dashboards

.PHONY: down
down: ## end what `make up` started
	@if [ -x .venv/bin/python ]; then $(RUN) -m semarize_airflow.local down; else echo "Nothing is running."; fi

.PHONY: status
status: ## what `make up` started, where, and with which login
	@$(SETUP) runtime
	@$(RUN) -m semarize_airflow.local status

.PHONY: snowflake-plan
snowflake-plan: ## what the pipeline needs in Snowflake, as SQL to read and run; changes nothing
	@$(SETUP) runtime
	@$(RUN) -m semarize_airflow.local snowflake-plan $(ARGS)

.PHONY: test
test: ## every test but the longest; ARGS=... goes to pytest
	@$(SETUP) tests dbt
	@$(TEST) $(SIDE_BY_SIDE) -m "not long" $(ARGS)

.PHONY: test-long
test-long: ## the longest: kills and other faults, every page in headless Chromium, whole DAGs on both warehouses
	@$(SETUP) tests dbt
	@$(TEST) $(SIDE_BY_SIDE) -m long $(ARGS)

.PHONY: test-fast
test-fast: ## the tests that take less than a few seconds each
	@$(SETUP) tests dbt
	@$(TEST) $(SIDE_BY_SIDE) -m "not slow and not long" $(ARGS)

.PHONY: test-snowflake
test-snowflake: ## the tests against a real Snowflake account, where one is configured
	@$(SETUP) tests dbt
	@SNOWFLAKE_SUITE=account $(TEST) tests/snowflake $(ARGS)

.PHONY: test-celery
test-celery: ## docker-compose.yml's services without Docker: two workers, one killed, nothing lost
	@$(SETUP) tests dbt
	@PYTHONPATH="$(CURDIR)/include:$(CURDIR)/plugins:$(CURDIR)/tests" PYTHONSAFEPATH=1 \
		.venv/bin/python -m compose.proof

.PHONY: audit
audit: ## known vulnerabilities of every locked package; says so where it could not ask
	@$(SETUP) audit
	@.venv-audit/bin/python -I tests/audit/audit.py

.PHONY: bench-scale
bench-scale: ## memory and time at 100,000 conversations, an hourly run on a million: hours; ARGS="hourly --landed 2000,50000"
	@$(SETUP) tests dbt
	@PYTHONPATH="$(CURDIR)/include:$(CURDIR)/benchmarks" PYTHONSAFEPATH=1 \
		DBT_BIN="$(CURDIR)/.venv-dbt/bin/dbt" .venv/bin/python -m scale $(ARGS)

.PHONY: fuzz
fuzz: ## MINUTES=60: spoilt answers of all vendors and Semarize, looking for what must not be
	@$(SETUP) tests
	@PYTHONPATH="$(CURDIR)/include:$(CURDIR)/tests" PYTHONSAFEPATH=1 .venv/bin/python -m fuzz \
		--minutes "$(or $(MINUTES),60)" $(ARGS)

.PHONY: screenshots
screenshots: ## pictures of the dashboards for docs/images, from `make demo` and `make up`; ARGS="overview ..."
	@$(SETUP) tests
	@PYTHONPATH="$(CURDIR)/include:$(CURDIR)/tests" PYTHONSAFEPATH=1 .venv/bin/python -m screenshots $(ARGS)

.PHONY: bench
bench: ## the pipeline beside its physical limit and beside dlt; ARGS="gong-2500 --rounds 5", ARGS=long
	@$(SETUP) runtime dbt bench
	@PYTHONPATH="$(CURDIR)/include:$(CURDIR)/plugins:$(CURDIR)/benchmarks" PYTHONSAFEPATH=1 \
		.venv/bin/python -m compare $(ARGS)

.PHONY: bench-cost
bench-cost: ## what a day of hourly runs takes, and by other designs; ARGS="--check 240" runs one beside it
	@$(SETUP) tests
	@PYTHONPATH="$(CURDIR)/include:$(CURDIR)/benchmarks:$(CURDIR)/tests" PYTHONSAFEPATH=1 \
		.venv/bin/python -m cost $(ARGS)

.PHONY: bench-simulate
bench-simulate: ## 10 million conversations a day, 500 keys, three regions: simulated, what binds first
	@$(SETUP) tests
	@PYTHONPATH="$(CURDIR)/include:$(CURDIR)/benchmarks" PYTHONSAFEPATH=1 .venv/bin/python -m simulate $(ARGS)

.PHONY: bench-state
bench-state: ## bytes and writes a second of the state database, and a key's promise kept by many processes
	@$(SETUP) tests
	@PYTHONPATH="$(CURDIR)/include:$(CURDIR)/benchmarks:$(CURDIR)/tests" PYTHONSAFEPATH=1 \
		.venv/bin/python -m state_load $(ARGS)

.PHONY: check
check: ## linters, format, types, SQL style, conventions of the dbt project
	@$(SETUP) tests dbt
	.venv/bin/ruff check $(CODE)
	.venv/bin/ruff format --check $(CODE)
	.venv/bin/mypy --explicit-package-bases include plugins
	$(DBT_OF_CHECK) VARIABLES='$(EVERY_NODE)' .venv-dbt/bin/python -P .ci/sqlfluff.py \
		lint dbt/models dbt/snapshots dbt/tests --processes 2 --config dbt/.sqlfluff
	$(DBT_OF_CHECK) .venv-dbt/bin/dbt --quiet parse \
		--project-dir dbt --profiles-dir dbt --vars '$(EVERY_NODE)'
	.venv-dbt/bin/dbt-bouncer run --config-file dbt/dbt-bouncer.yml

.PHONY: lock
lock: ## compile the requirements.in files to lock files; pins stay where they still fit
	@$(SETUP) lock

.PHONY: clean
clean: ## remove environments, caches, and all that demo and up left behind
	@if [ -x .venv/bin/python ] && [ -d .runtime ]; then $(RUN) -m semarize_airflow.local down; fi
	rm -rf .venv .venv-dbt .venv-emulator .venv-audit .venv-bench .venv-uv .runtime .pytest_cache .mypy_cache .ruff_cache .hypothesis dbt/target dbt/logs
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
