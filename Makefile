.DEFAULT_GOAL := help
.PHONY: help setup run test openapi fuzz coverage-page security lint fmt types clean

PYTHON ?= python3
PORT ?= 8080
TTS ?= local
VENV := .venv/bin
PACKAGES := functions shared infra tests

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

setup: .venv/installed ## Install everything into .venv/ (the other targets do it too)

.venv/installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Audio Loop needs Python 3.11 or newer: make run PYTHON=python3.11")'
	@test -x $(VENV)/python || $(PYTHON) -m venv .venv
	@echo "Installing (a minute or so, once)..."
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@

run: export GOOGLE_TTS_KEY := $(KEY)
run: .venv/installed ## Start the whole system (ONCE=1 stops after the sample; PORT=9090; TTS=google KEY=AIza...)
	@$(VENV)/python -m infra.local --port $(PORT) --tts $(TTS) $(if $(ONCE),--once)

test: .venv/installed ## Run all tests (on PostgreSQL at DATABASE_ADMIN_URL, where that is set)
	@$(VENV)/python -m pytest

openapi: .venv/installed ## Write docs/openapi.json from the code
	@$(VENV)/python -m infra.local.document >docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json

fuzz: export FUZZ_EXAMPLES ?= 150
fuzz: export FUZZ_SEED ?= 1
fuzz: .venv/installed ## Fuzz the API at length (FUZZ_EXAMPLES=150 requests per operation, FUZZ_SEED=1)
	@$(VENV)/python -m pytest -s tests/contract/test_fuzzing.py

coverage-page: .venv/installed ## Write docs/contract-coverage.md from a run of the tests
	@$(VENV)/python -m pytest -p tests.contract.coverage --contract-coverage docs/contract-coverage.md \
		tests/functions tests/acceptance tests/contract \
		--deselect tests/contract/test_fuzzing.py --deselect tests/contract/test_coverage_page.py

security: .venv/installed ## Try every cell of row-level security, and every way to weaken it
	@$(VENV)/python -m pytest tests/security

lint: .venv/installed ## Check style, imports between layers, and types
	@$(VENV)/ruff check $(PACKAGES)
	@$(VENV)/ruff format --check $(PACKAGES)
	@$(VENV)/lint-imports
	@$(MAKE) --no-print-directory types

types: .venv/installed ## Check types
	@$(VENV)/mypy

fmt: .venv/installed ## Format
	@$(VENV)/ruff check --fix $(PACKAGES)
	@$(VENV)/ruff format $(PACKAGES)

clean: ## Delete everything that was installed or made here
	rm -rf .venv .local .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
