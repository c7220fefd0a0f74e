# `make help` lists what there is. Everything that is installed goes into .venv and build/, nowhere else.

PYTHON ?= python3
VENV := .venv
DEMO := build/demo
BENCH := build/bench
BIN := $(VENV)/bin
# -n auto: as many workers as there are cores. Every test has its own folder and its own port.
# What one worker has left over another one takes, so that none is idle at the end.
PYTEST_ARGS ?= -n auto --dist worksteal
IMAGE ?= tooken-ci
LOCK_OPTIONS := --quiet --generate-hashes --strip-extras --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --unsafe-package tooken-ci

# What is compiled once need not be compiled by every process anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.stamp: requirements/build.txt requirements/dev.txt pyproject.toml .ci/venv
	PYTHON=$(PYTHON) .ci/venv $(VENV) requirements/build.txt requirements/dev.txt
	@touch $@

$(DEMO)/.stamp: requirements/build.txt requirements/sandbox.txt pyproject.toml .ci/venv
	PYTHON=$(PYTHON) .ci/venv $(DEMO) requirements/build.txt requirements/sandbox.txt
	@touch $@

.PHONY: venv
venv: $(VENV)/.stamp ## Make .venv, with all that the tests and the checks need

# What the tests take from npm, in one go, since npm removes what a later call does not name: GitHub's contract with the
# proxy that holds both sides of a conversation to it, and a runner for GitLab's jobs.
NODE_PACKAGES := @octokit/openapi@23.0.2 @stoplight/prism-cli@5.16.0 gitlab-ci-local@4.65.0

build/npm/.stamp: Makefile
	@mkdir -p build/npm
	@if command -v npm >/dev/null; then \
		npm install --no-save --no-package-lock --no-audit --no-fund --loglevel=error --prefix build/npm \
			$(NODE_PACKAGES) && touch $@; \
	else \
		echo "npm is not here: what is tested against GitHub's contract and with GitLab's jobs is left out" >&2; \
	fi

.PHONY: npm
npm: build/npm/.stamp ## Install what the tests take from npm, into build/npm

.PHONY: demo
demo: $(DEMO)/.stamp ## Show the whole job against a local sandbox, in under a minute
	@PATH="$(CURDIR)/$(DEMO)/bin:$$PATH" examples/demo/demo.sh

$(BENCH)/.stamp: requirements/build.txt requirements/sandbox.txt benchmarks/requirements.txt pyproject.toml .ci/venv
	PYTHON=$(PYTHON) .ci/venv $(BENCH) requirements/build.txt requirements/sandbox.txt benchmarks/requirements.txt
	@touch $@

.PHONY: bench
bench: $(BENCH)/.stamp ## Measure against rivals and ideals, and write docs/benchmarks.md (a quarter of an hour)
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--force-reinstall . # as users have it: an editable install starts slower
	$(BENCH)/bin/python -m benchmarks $(BENCH_ARGS)

.PHONY: test
test: venv npm ## Run all tests (PYTEST_ARGS="-k name" to choose)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

.PHONY: coverage
coverage: venv npm ## The same, and what of the code they reach; takes twice as long
	$(BIN)/coverage erase
	$(BIN)/python -m pytest --cov --cov-report=term $(PYTEST_ARGS)

.PHONY: crash
crash: venv ## Harm every request and every write of a run in every way, and write docs/reliability.md (CRASH_ARGS="--only rename")
	$(BIN)/python -m tests.crash $(CRASH_ARGS)

WORKFLOWS := .github/workflows/*.yml examples/github/*.yml
COMPONENT := templates/tooken-ci.yml
GITLAB := $(BIN)/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci

.PHONY: lint
lint: venv ## Check style, types, the floors of the house, and what a linter can tell of security
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy entrypoint.py examples/demo/consumer.py .github/scripts/release.py
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml tooken_ci entrypoint.py examples benchmarks
	$(BIN)/actionlint -shellcheck= -pyflakes= $(WORKFLOWS) # neither is in the lock, so not every machine has them
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(GITLAB) examples/gitlab/*.yml
	sed -n -e '/^---$$/q' -e p $(COMPONENT) | $(GITLAB) --force-filetype yaml - # what it takes
	sed -e '1,/^---$$/d' -e 's/\$$\[\[ inputs\.apply ]]/manual/' -e 's/\$$\[\[ inputs\.rotate ]]/never/' $(COMPONENT) \
		| $(GITLAB) --force-filetype yaml - # and what it makes of that; of the rest no value is from a list
	$(BIN)/zizmor --offline --quiet . examples/github/*.yml
	$(BIN)/hadolint Dockerfile

.PHONY: lock
lock: venv ## Pin the newest dependencies that fit pyproject.toml (use the oldest Python that is supported)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
		|| { echo "Lock with Python 3.11, so that the files serve every version: make lock PYTHON=python3.11"; exit 1; }
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCK_OPTIONS) --upgrade --all-extras \
		--output-file requirements/dev.txt pyproject.toml
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCK_OPTIONS) --extra sandbox \
		--constraint requirements/dev.txt --output-file requirements/sandbox.txt pyproject.toml
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCK_OPTIONS) --extra all \
		--constraint requirements/dev.txt --output-file requirements/runtime.txt pyproject.toml
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCK_OPTIONS) --only-build-deps --build-deps-for wheel \
		--constraint requirements/dev.txt --output-file requirements/build.txt pyproject.toml
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCK_OPTIONS) \
		--constraint requirements/dev.txt --output-file benchmarks/requirements.txt benchmarks/requirements.in

.PHONY: image
image: ## Build the image of the action (IMAGE=name)
	docker build --tag $(IMAGE) .

.PHONY: clean
clean: ## Remove what make, the tests and the checks have made
	rm -rf $(VENV) build dist *.egg-info .coverage .coverage.* \
		.mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
