# Every target makes .venv itself, from the lock file, with any python3 of 3.11 or newer.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
SETTINGS ?= rapport.toml
PORT ?= 3000
CUSTOMERS ?= 5000
UV := $(shell sed -n 's/^\(uv==[^ ]*\) .*/\1/p' requirements.lock)

export BENTOML_DO_NOT_TRACK := True
export MLFLOW_DISABLE_TELEMETRY := true
export RAPPORT_SETTINGS := $(SETTINGS)

.PHONY: help install demo demo-bank train serve data test test-spark check lint format docs notebooks notebooks-run fuzz soak mutations bench bench-engine lock clean

help:  ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*  ## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

demo: train  ## Train on the demo's data, score everyone, serve until Ctrl-C.
	@$(BIN)/python -m serving import
	@$(BIN)/python -m serving brief
	@$(BIN)/python -m serving serve --port $(PORT)

demo-bank: export RAPPORT_SETTINGS := rapport-bank.toml
demo-bank: $(VENV)/.demo  ## The same on a simulated bank, for tests and teaching.
	@$(BIN)/python -m features bank-data --customers $(CUSTOMERS)
	@$(BIN)/python -m training main --if-changed
	@$(BIN)/python -m serving import
	@$(BIN)/python -m serving brief
	@$(BIN)/python -m serving serve --port $(PORT)

train: data  ## Train, test and register the models (only when something changed).
	@$(BIN)/python -m training main --if-changed

serve: $(VENV)/.demo  ## Serve the registered models on 127.0.0.1.
	@$(BIN)/python -m serving import
	@$(BIN)/python -m serving serve --port $(PORT)

install: $(VENV)/.demo  ## Install into .venv.
	@echo "Installed. Next: source $(VENV)/bin/activate"

data: $(VENV)/.demo  ## Write the demo's tables into data/ (once).
	@[ "$(SETTINGS)" != rapport.toml ] || $(BIN)/python -m features demo-data

test: $(VENV)/.dev  ## Run the tests but the slow ones.
	@$(BIN)/python -m pytest -m "not slow"

test-spark: $(VENV)/.spark  ## Hold Spark to the law; it needs Java 17 or newer and takes 500 MB.
	@$(BIN)/python -m pytest tests/features/test_spark.py tests/training/test_cluster.py

check: lint test  ## Format, lint, types, imports, tests: before each commit.

lint: $(VENV)/.dev  ## Look at format, lint, types and imports alone.
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@out=$$($(BIN)/lint-imports --no-cache) || { echo "$$out"; exit 1; }

format: $(VENV)/.dev  ## Format the code and mend what the linter can.
	@$(BIN)/ruff check --fix-only . && $(BIN)/ruff format .

docs: $(VENV)/.dev  ## Write the tables and pictures in docs/ anew.
	@$(BIN)/python -m docs

notebooks: $(VENV)/.notebooks train  ## Open the notebooks in JupyterLab, on the demo's data and models.
	@RAPPORT_SETTINGS=$(abspath $(SETTINGS)) $(BIN)/jupyter-lab notebooks

notebooks-run: $(VENV)/.notebooks train  ## Run the notebooks and store what they show.
	@$(BIN)/python -m tests.notebooks

fuzz: $(VENV)/.spark  ## Hold the engines to the law on very many histories, the readers to any file.
	RAPPORT_EXAMPLES=10000 $(BIN)/python -m pytest tests/features/test_law.py
	RAPPORT_EXAMPLES=100000 $(BIN)/python -m pytest tests/features/test_spark.py
	RAPPORT_EXAMPLES=5000 $(BIN)/python -m pytest tests/features/test_source_fuzz.py

soak: $(VENV)/.dev train  ## Serve for ten minutes under load: no error, nothing lost, memory flat.
	$(BIN)/python -m tests.soak

mutations: $(VENV)/.dev  ## Break the engine on purpose, line by line: a test must turn red each time.
	$(BIN)/python -m tests.mutations

bench: $(VENV)/.dev train  ## Measure what the demo, the tests, the engine and serving cost.
	$(BIN)/python -m tests.benchmarks.cost
	$(BIN)/python -m tests.benchmarks.engine
	$(BIN)/python -m tests.benchmarks.stores
	$(BIN)/python -m tests.benchmarks.serving

bench-engine: $(VENV)/.dev  ## Measure the engine alone; smaller: BENCH="--interactions 1_000_000".
	$(BIN)/python -m tests.benchmarks.engine $(BENCH)

lock: $(VENV)/.uv  ## Choose the newest versions of every dependency anew.
	$(BIN)/uv pip compile --universal --generate-hashes --all-extras --upgrade --no-header \
		--no-emit-index-url --no-emit-find-links --no-annotate -p 3.11 pyproject.toml -o requirements.lock

clean:  ## Remove the environment and all that the demo made.
	rm -rf $(VENV) .bench data var mlflow.db* mlartifacts mlruns *.egg-info build

$(VENV)/.uv: requirements.lock
	@python=$$(for p in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
		$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done); \
	[ -n "$$python" ] || { echo "error: no python3 of 3.11 or newer; name one with PYTHON=…" >&2; exit 2; }; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $$python -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	@touch $@

$(VENV)/.demo: $(VENV)/.uv pyproject.toml
	@echo "Installing into $(VENV) …"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet -c requirements.lock -b requirements.lock -e ".[demo]"
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	@echo "Installing the development tools into $(VENV) …"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet -c requirements.lock -b requirements.lock -e ".[demo,dev]"
	@touch $@

$(VENV)/.spark: $(VENV)/.dev
	@echo "Installing Spark into $(VENV) …"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet -c requirements.lock -b requirements.lock -e ".[demo,dev,spark]"
	@touch $@

$(VENV)/.notebooks: $(VENV)/.dev
	@echo "Installing JupyterLab into $(VENV) …"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet -c requirements.lock -b requirements.lock -e ".[demo,dev,notebooks]"
	@touch $@
