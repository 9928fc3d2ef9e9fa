# Two commands set everything up: `make rehearse` and `make test`.
SHELL := /bin/bash
PYTHON ?= python3
STACK ?= aww
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup rehearse test lint types unit e2e audit bench lock licences format
.PHONY: test-explain test-faults test-long test-pages test-upgrade test-vendor

help:  ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(STAMP)  ## Make .venv with the locked dependencies and the xgen command

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or newer is needed: install it, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "Python's venv module is missing: on Debian and Ubuntu, apt-get install python3-venv"; exit 1; }
	@command -v git >/dev/null || { echo "git is missing: install it with the system's package manager"; exit 1; }
	@echo "Setting up $(VENV) (some minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

rehearse: setup  ## Bring a customer's whole stack up, change it and tear it down on this machine (STACK=aww)
	@$(BIN)/xgen rehearse $(STACK) $(ARGS)

test: lint types unit audit e2e  ## Everything: lint, types, unit tests, audit, end-to-end rehearsals

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup
	@$(BIN)/mypy xgen_infra bench policy __main__.py

unit: setup  ## Unit tests only (seconds)
	@$(BIN)/pytest -m "not e2e and not audit and not faults" -n 2

audit: setup  ## checkov on the AWS resources, parliament on every IAM document
	@$(BIN)/pytest -m audit tests/audit

e2e: setup  ## End-to-end rehearsals only
	@$(BIN)/pytest -m "e2e and not faults and not long" -n 2 --dist loadfile --no-loadscope-reorder --durations=10

test-long: setup  ## Upgrade, rotation, incidents and drift, in whole rehearsals
	@$(BIN)/pytest -m long -n 2 --dist loadfile --durations=10 tests

test-upgrade: setup  ## A running stack of each kind, upgraded from the last release tag (without one, it says so)
	@$(BIN)/xgen rehearse aww --from-last-release
	@$(BIN)/xgen rehearse lotteimall --delivery helm --from-last-release

test-faults: setup  ## Each call of each operation fails in each way, once (about an hour; make test tries a sample)
	@$(BIN)/pytest -m faults tests/faults -s $(ARGS)

test-vendor: setup  ## The vendor's pipelines and real registries (installs Java, Maven and Node where they are missing)
	@tests/vendor_slow/install.sh
	@$(BIN)/pytest tests/vendor_slow -n 2 --dist loadfile

test-pages: setup  ## The runbook's page in headless Chromium (installs it where it is missing)
	@tests/pages/run.sh

test-explain: setup  ## Every field of the file against what Helm renders and the program registers (make test tries some)
	@XGEN_EVERY_FIELD=1 $(BIN)/pytest tests/explain/test_exactness.py tests/properties/test_fields.py -n 2

bench: setup  ## Print the ratios that the documentation quotes
	@$(BIN)/python -m bench

licences: setup  ## Write docs/licences.md anew
	@$(BIN)/python -m xgen_infra.licences

format: setup
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

lock:  ## Resolve the dependencies anew (needs uv)
	@uv pip compile -q pyproject.toml --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --universal --upgrade -o requirements/program.txt
	@uv pip compile -q pyproject.toml --extra dev -c requirements/program.txt --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --universal --upgrade -o requirements/dev.txt
	@uv pip compile -q requirements/audit.in --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --universal --upgrade -o requirements/audit.txt
	@uv pip compile -q requirements/pages.in --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --universal --upgrade -o requirements/pages.txt
	@uv pip compile -q requirements/policy.in --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --universal --upgrade -o requirements/policy.txt
