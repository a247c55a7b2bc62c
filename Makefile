# One command for every job. `make check` is what CI runs.

# The environment's programs first: pyright, too, asks the first python3 that it finds where packages are.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
PYTHON ?= python3
CODE := bitmart_trio tests examples docs
RUN := $(PYTHON) -m
# What `make lowest` and `make versions` run: nothing is everything, -m core is the part that CI runs; folders of `make proofs`.
SELECT ?=

.DEFAULT_GOAL := help
.PHONY: help setup check fmt format lint types verifytypes layers test bench proofs docs pages examples coverage lowest versions interop audit changes dist clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-12s %s\n", $$1, $$2 }'

setup: ## make .venv with everything a developer needs
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet -e ".[dev]"

check: fmt lint types layers test docs examples ## everything that must hold before a commit

fmt: ## the formatting is ruff's (says what differs, changes nothing)
	$(RUN) ruff format --check $(CODE)

format: ## put the formatting and the order of imports right
	$(RUN) ruff check --select I --fix $(CODE)
	$(RUN) ruff format $(CODE)

lint: ## ruff, flake8-async for the Trio rules that ruff lacks, and the settings in YAML
	$(RUN) ruff check $(CODE)
	$(PYTHON) .ci/async_rules.py bitmart_trio examples tests
	$(PYTHON) .ci/workflows.py

types: verifytypes ## mypy --strict, pyright strict, and complete public types
	$(RUN) mypy
	$(RUN) mypy tests/cli/conftest.py
	$(RUN) mypy tests/blocking/conftest.py
	$(RUN) basedpyright

verifytypes: ## every public name has a complete type
	$(RUN) basedpyright --verifytypes bitmart_trio --ignoreexternal

layers: ## imports point one way
	$(RUN) pytest -q tests/test_layers.py

test: ## all tests, on all processors (`-n0`: in one process)
	$(RUN) pytest -q

docs: ## build the pages without a warning, check links, anchors and widths, and run what they show
	$(RUN) sphinx -n -W -q -b html docs docs/_build/html
	$(PYTHON) docs/check_site.py docs/_build/html
	$(RUN) sphinx -n -W -q -b doctest docs docs/_build/doctest

bench: ## what messages and requests cost, as ratios against the raw libraries and other clients
	$(RUN) tests.bench

proofs: ## the heavy proofs in full, on all processors (hours on two): chaos, tapes, storms, kills, books, money, fuzz
	BITMART_PROOFS=full $(RUN) pytest -v -m proof $(SELECT)

examples: ## every example runs against the simulated exchange and prints what it should
	$(RUN) pytest -q tests/test_examples.py tests/test_readme.py

pages: ## make anew what is made from the code: tables, command line, faults, migration, llms.txt
	for each in blocking cli endpoints examples faults llms migration notebook rules tables; do $(PYTHON) docs/make_$$each.py; done

coverage: ## what all tests reach, and the programs that they start (SELECT: some of the tests, for which no floor holds)
	rm -rf build/coverage && mkdir -p build/coverage
	$(RUN) coverage run -m pytest -q $(SELECT)
	$(RUN) coverage combine -q
	$(RUN) coverage report $(if $(SELECT),--fail-under=0)

lowest: ## all tests with the lowest versions that pyproject.toml allows (SELECT='-m core': the core set)
	python3 -m venv build/lowest
	python3 .ci/lowest.py > build/lowest/requirements.txt
	build/lowest/bin/python -m pip install --quiet -r build/lowest/requirements.txt -e .
	build/lowest/bin/python -m pytest -q -p no:cacheprovider $(SELECT)

versions: ## all tests on each other interpreter that is found and promised (SELECT='-m core': the core set)
	set -e; for each in $$(python3 .ci/interpreters.py); do \
	  here=build/$$(basename $$each); $$each -m venv $$here; $$here/bin/python -m pip install --quiet -e ".[cli,test]"; \
	  $$here/bin/python --version; $$here/bin/python -m pytest -q -p no:cacheprovider $(SELECT); \
	done

interop: ## fetch the foreign clients that judge the simulated exchange
	npm ci --prefix tests/interop --ignore-scripts --no-audit --no-fund

audit: ## whether an installed package has a known vulnerability
	$(PYTHON) .ci/audit.py

changes: ## what the next release notes would say
	$(RUN) towncrier build --draft --version next

dist: ## build the wheel
	$(RUN) pip wheel --no-deps --wheel-dir dist .

clean: ## remove what the tools leave behind
	rm -rf build dist docs/_build .coverage htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis
