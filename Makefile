# Commands for people: `make run` and `make test`; the rest is listed by `make help`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
UV := .tools/bin/uv
# The certificates of the system: some networks bring their own.
export UV_SYSTEM_CERTS := 1
export UV_PYTHON_DOWNLOADS := never

PACKAGES := rules models activities workflows casework
PYTEST := $(BIN)/python -m pytest
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

.PHONY: help install run test test-all browser lint format hand-cards screenshots rival lock upgrade clean

help: ## List the commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

run: .venv/run.stamp ## Install what is needed and start the whole product
	$(BIN)/bancheng serve

install: .venv/dev.stamp ## Install what developing and testing need into .venv

test: .venv/dev.stamp browser ## Run the tests
	$(PYTEST) -m "not drill" -n 3 --dist worksteal

test-all: test ## Run the tests and then the long drills
	$(PYTEST) -m drill -n 1

# Chromium is in no wheel. Where it can't be installed, the browser's tests are skipped, and say so.
browser: ## Install the browser that the tests use, where that is allowed
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
	  || (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium) >/dev/null \
	  || echo "NO BROWSER: chromium could not be installed; its tests will be skipped"

lint: .venv/dev.stamp ## Check style, types, import direction and dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PACKAGES)
	$(BIN)/lint-imports
	$(BIN)/deptry .

format: .venv/dev.stamp ## Format the code and mend what can be mended by machine
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

hand-cards: .venv/dev.stamp ## Write docs/hand-cards/ anew from the rules and the words of the pages
	$(BIN)/python -m pages.hand_cards

screenshots: .venv/dev.stamp browser ## Take the pictures in docs/images/ anew
	$(BIN)/python -m docs.screenshots

rival: .venv/dev.stamp ## Install what benchmarks/rival.py compares with
	$(UV) pip install --quiet --require-hashes -r requirements/rival.lock

lock: $(UV) ## Bring the lock files in line with pyproject.toml, moving no other version
	$(COMPILE) $(LOCKFLAGS) pyproject.toml -o requirements/run.lock
	$(COMPILE) $(LOCKFLAGS) pyproject.toml --group dev -c requirements/run.lock -o requirements/dev.lock
	$(COMPILE) $(LOCKFLAGS) --group build -o requirements/build.lock
	$(COMPILE) $(LOCKFLAGS) pyproject.toml --group rival -c requirements/dev.lock -o requirements/rival.lock

upgrade: LOCKFLAGS := --upgrade
upgrade: lock ## Move the lock files to the newest versions that fit

clean: ## Remove what was installed (never ./data)
	rm -rf .venv .tools

$(UV): requirements/tools.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --upgrade --require-hashes --target .tools -r requirements/tools.lock
	@touch $@

.venv/pyvenv.cfg: | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv

# The project itself is installed as a link to this folder: an edit needs no second install.
# requirements/dev.lock holds every line of run.lock, so the later of the two never breaks the earlier.
.venv/run.stamp: requirements/run.lock requirements/build.lock pyproject.toml $(UV) .venv/pyvenv.cfg
	$(UV) pip install --quiet --require-hashes -r requirements/run.lock
	$(UV) pip install --quiet --no-deps --build-constraints requirements/build.lock --editable .
	@touch $@

.venv/dev.stamp: requirements/dev.lock .venv/run.stamp
	$(UV) pip install --quiet --require-hashes -r requirements/dev.lock
	@touch $@
