# Every target sets up what it needs in .venv and runs. `make help` lists them.

VENV := .venv
VLLM := .venv-vllm
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install -qq --progress-bar off -c constraints.txt

# Q and REPO reach the program through the environment, as typed: `value` keeps make from
# expanding a `$` in them, and the recipes name them only as quoted shell variables.
override Q := $(value Q)
override REPO := $(value REPO)
export Q REPO

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: ask bench format help lint test test-all test-vllm vllm-up

help: ## list the targets
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

ask: $(VENV)/.runtime ## answer Q="..." about this repository, or about REPO=path
	@test -n "$$Q" || { echo 'usage: make ask Q="where is ...?" [REPO=path]' >&2; exit 2; }
	@$(PY) -m codeintel_rev ask --repo "$${REPO:-.}" -- "$$Q"

bench: $(VENV)/.runtime ## CPU time of each stage of indexing and searching
	@$(PY) -m codeintel_rev bench stages

test: $(VENV)/.dev ## run the tests; ARGS="-k name" is passed to pytest
	@$(PY) -m pytest -n auto --dist worksteal $(ARGS)

test-all: lint test ## everything that checks the code

vllm-up: $(VLLM)/.models ## serve two small models with a real vLLM until Ctrl-C
	@scripts/vllm/up $(VLLM)

test-vllm: $(VENV)/.dev $(VLLM)/.models ## test the clients of model servers against a real vLLM
	@$(PY) -m pytest -m vllm tests/vllm $(ARGS)

lint: $(VENV)/.dev ## ruff, mypy and the rules on imports
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports

format: $(VENV)/.dev ## let ruff rewrite what it can
	@$(PY) -m ruff check --fix
	@$(PY) -m ruff format

# The two stamps say what .venv holds: what a user needs, or that and the developer's tools.
$(VENV)/.runtime: pyproject.toml constraints.txt | $(PY)
	@echo 'Installing codeintel into $(VENV) (once, about a minute) ...' >&2
	@$(PIP) -e . && touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(PY)
	@echo 'Installing codeintel and its developer tools into $(VENV) (once, about a minute) ...' >&2
	@$(PIP) -e '.[dev]' && touch $@ $(VENV)/.runtime

$(VLLM)/.models: scripts/vllm/create-env scripts/vllm/prepare_models.py
	@scripts/vllm/create-env $(VLLM)
	@$(VLLM)/bin/python scripts/vllm/prepare_models.py $(VLLM)/models && touch $@

$(PY):
	@scripts/create-venv $(VENV)
