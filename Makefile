# Every target sets up what it needs: Python 3.11 or newer (with venv) and make are enough.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
SECONDS ?= 60

.PHONY: help demo test lint check docs bench hammer simulate mutants fuzz tenants overload cluster cluster-test clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Paydown needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(INSTALL) hatchling editables
	$(INSTALL) --no-build-isolation --editable '.[dev]'
	@touch $(READY)

demo: $(READY) ## Start a server with a demo customer on 127.0.0.1:8080
	$(BIN)/paydown demo

test: $(READY) ## Run every test that must pass, with coverage
	$(BIN)/python -m pytest -m 'not alone' --numprocesses=3 --cov --cov-report=
	$(BIN)/python -m pytest -m alone --cov --cov-append --cov-report=
	$(BIN)/coverage report --include='src/paydown/domain/*,src/paydown/wire/*' --fail-under=100
	$(BIN)/coverage report --skip-covered --fail-under=95

lint: $(READY) ## Check style, types and imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test ## Run lint and test, as CI does

docs: $(READY) ## Rewrite the tables of docs that are made from the code
	$(BIN)/python tests/repo/references.py

bench: $(READY) ## Measure the speed against its peers (needs wrk; QUICK=1 in two minutes)
	$(BIN)/python -m bench $(if $(QUICK),--quick)

hammer: $(READY) ## Kill servers under load for a minute on each database, count every penny
	PAYDOWN_HAMMER_SECONDS=60 $(BIN)/python -m pytest tests/system/test_hammer.py

simulate: $(READY) ## Run seeds of trouble (SEEDS=1000), or show all that happens in one (SEED=123)
	PYTHONPATH=tests $(BIN)/python -m simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),300))

mutants: $(READY) ## Plant each fault of the table in a copy, and see the tests find it
	$(BIN)/python -m mutants

tenants: $(READY) ## Ask for everything as each kind of caller, and for another customer's
	PAYDOWN_TENANT_ROUNDS=25 $(BIN)/python -m pytest tests/tenants -n 0

fuzz: $(READY) ## Give every decoder hostile inputs (SECONDS=60; SEED=1 to have a run again)
	PAYDOWN_FUZZ_SECONDS=$(SECONDS) PAYDOWN_FUZZ_SEED=$(or $(SEED),$(shell date +%s)) $(BIN)/python -m pytest tests/fuzz

overload: $(READY) ## Offer a server twice what it can take for a minute, and crowds besides
	PAYDOWN_OVERLOAD_SECONDS=60 $(BIN)/python -m pytest tests/system/test_overload.py

cluster: $(READY) ## Bring up a PostgreSQL cluster and two servers, until Ctrl-C
	$(BIN)/python -m cluster up

cluster-test: $(READY) ## Lose the cluster's leader three times under load, count every penny
	$(BIN)/python -m cluster test

clean: ## Remove the environment and what the tools left
	rm -rf .venv bench/.bench_cache build .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
