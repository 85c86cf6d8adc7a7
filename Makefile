# make demo    clone to running example       make test    everything that is tested
# make setup   .venv and front end only       make check   lint, types and layers, as in CI
# make deep    all tests, with far more generated and foreign input; half an hour
# make nightly formulas compared 100,000 times on all four back ends; takes hours
# Needs Python 3.11+, Node 20+ and make. `make test` gets Chromium, a CJK font and PostgreSQL itself where it can.

SHELL := /bin/bash
# Without kept bytecode every start compiles a thousand modules again: a second and a half.
unexport PYTHONDONTWRITEBYTECODE
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

UV_VERSION := 0.13.9
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
# uv writes into this environment whatever another one is active.
UV := VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv
LOCK := $(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet
say = @echo

.PHONY: help setup python frontend demo dev test deep nightly test-deps prerequisites check format corpora bench lock wheel clean

help:
	@sed -n 's/^# //p' Makefile | head -5

# The two halves have nothing to do with each other, so they run side by side.
setup: python
	@$(MAKE) --no-print-directory -j2 .venv/.installed frontend

python:
	@test -n '$(PYTHON)' || { echo 'setup: no Python 3.11 or newer found; name one with make PYTHON=...' >&2; exit 1; }

.venv/.uv: | python
	$(say) 'setup: virtual environment'
	@$(PYTHON) -m venv .venv || { echo 'setup: this Python has no venv (on Debian: apt-get install python3-venv)' >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/.installed: .venv/.uv requirements.lock pyproject.toml hatch_build.py
	$(say) 'setup: libraries, from requirements.lock'
	@$(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

frontend: python
	@$(PYTHON) ui/frontend/build.py

demo: setup
	@$(BIN)/fieldstone demo $(ARGS)

dev: setup
	@$(BIN)/fieldstone serve --reload $(ARGS)

.venv/.dev: .venv/.installed requirements-dev.lock
	$(say) 'setup: tools for checks and tests, from requirements-dev.lock'
	@$(UV) pip install --quiet --compile-bytecode --require-hashes -r requirements-dev.lock
	@touch $@

test-deps: setup
	@$(MAKE) --no-print-directory .venv/.dev tests/oidc/node_modules/.installed

# An OpenID provider that people sign in at, for tests/signing/test_oidc.py.
tests/oidc/node_modules/.installed: tests/oidc/package-lock.json
	$(say) 'test-deps: an OpenID provider'
	@cd tests/oidc && npm ci --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

prerequisites:
	@bash .ci/prerequisites

test: test-deps prerequisites
	$(say) 'test: unit tests, then browser tests'
	@$(BIN)/python -m tests $(ARGS)

deep: test-deps prerequisites
	$(say) 'deep: all tests, with far more generated input'
	@DEEP=1 $(BIN)/python -m tests $(ARGS)

nightly: test-deps prerequisites
	$(say) 'nightly: 100,000 formulas in Python, SQLite, PostgreSQL and JavaScript'
	@FORMULAS=100000 $(BIN)/python -m pytest -q tests/formulas/test_differential.py -p no:playwright $(ARGS)

check: test-deps
	$(say) 'check: ruff'
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	$(say) 'check: mypy'
	@$(BIN)/mypy
	$(say) 'check: layers'
	@$(BIN)/lint-imports

format: test-deps
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

corpora: test-deps
	@$(BIN)/python -m tests.corpus.report $(or $(CORPORA),../shared/corpora)

bench: test-deps
	@$(BIN)/python -m benchmarks $(ARGS)

wheel: setup
	@$(BIN)/python -m hatchling build -t wheel

lock: .venv/.uv
	$(LOCK) $(UPGRADE) --group build -o requirements.lock
	$(LOCK) $(UPGRADE) --group dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf .venv build dist ui/static/dist ui/frontend/node_modules tests/oidc/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
