# Everything runs in .venv, which each verb sets up when it is missing or out of date.
PYTHON ?= python3
JOBS ?= 2
RUNS ?= 20000
GB ?= 2
BIN := .venv/bin
QUIET := --quiet --disable-pip-version-check
READY := .venv/.ready
SAMPLES := data/.ready
PAGES := README.md kpi_plugins/README.md docs/intake.md docs/params.md docs/views.md

export UV_LINK_MODE := copy
export UV_PYTHON_DOWNLOADS := never
export JUPYTER_PLATFORM_DIRS := 1
ifeq ($(if $(HOME),$(wildcard $(HOME)/.)),)
export UV_CACHE_DIR := $(CURDIR)/.venv/cache
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: demo test lint docs bench fuzz large browser recipes week server spark torture samples help

demo: $(READY) $(SAMPLES) ## the report of the demo client; prints where report.html is
	@$(BIN)/kpibook run params/complete_journey.yaml

test: $(READY) $(SAMPLES) ## all tests, then the notebooks against their own outputs
	@$(BIN)/pytest -n $(JOBS) --dist loadscope tests
	@$(BIN)/pytest --nbval --nbval-cell-timeout=900 -p no:cacheprovider notebooks

lint: $(READY) ## style, types, layers, generated pages and passages up to date
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/cog -I tests --check $(PAGES)

docs: $(READY) $(SAMPLES) ## renew the generated pages and passages, and the outputs of the notebooks
	@$(BIN)/cog -I tests -r $(PAGES)
	@$(BIN)/python -m tests.definitions.page
	@$(BIN)/python tests/engines_page.py
	@$(BIN)/jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False notebooks/*.ipynb

bench: $(READY) $(SAMPLES) ## every benchmark, in order, the median of ROUNDS=5 rounds
	@set -e; for script in $(sort $(wildcard benchmarks/*.py)); do echo "$$script"; $(BIN)/python $$script; done

fuzz: $(READY) ## the readers under RUNS=20000 files that nobody would send (installs atheris)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || { uv=$$(command -v uv || echo .venv/tools/bin/uv); "$$uv" pip install --quiet --python $(BIN)/python 'atheris==3.0.0'; }
	@$(BIN)/python benchmarks/torture/fuzz_readers.py -runs=$(RUNS)

large: $(READY) ## kpibook check of a CSV of GB=2 gigabytes in a foreign dialect, in under 2 GB of memory
	@$(BIN)/python benchmarks/torture/large_csv.py $(GB)

browser: $(READY) ## hostile text in Chromium and LibreOffice, JupyterLab in Chromium; installs both (apt) and Playwright
	@command -v chromium >/dev/null && command -v soffice >/dev/null || { apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium libreoffice-calc-nogui; }
	@$(BIN)/python -c 'import playwright' 2>/dev/null || { uv=$$(command -v uv || echo .venv/tools/bin/uv); \
	  "$$uv" pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[browser]'; }
	@$(BIN)/pytest -p no:cacheprovider browser

recipes: $(READY) ## exported schedules against systemd, cron, kubeconform and airflow, those that are installed
	@$(BIN)/python -m recipes

week: $(READY) ## the scheduler over a week of 50 clients on a moved clock: restarts, outages, kill -9; counts
	@$(BIN)/python -m simulations.week

server: $(READY) ## a whole programme computed in place on PostgreSQL, every figure and finding as from a copy
	@$(BIN)/pytest -p no:cacheprovider server

spark: $(READY) ## every KPI on Spark as on DuckDB, and written for five engines more; installs PySpark, needs Java 17
	@$(BIN)/python -c 'import pyspark' 2>/dev/null || { uv=$$(command -v uv || echo .venv/tools/bin/uv); \
	  "$$uv" pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[spark]'; }
	@$(BIN)/pytest -p no:cacheprovider spark

torture: $(READY) ## every fault, one client's id looked for in others' reports, kill -9 at KILLS=200 moments; counts
	@$(BIN)/python -m torture $(ONLY)

samples: $(SAMPLES) ## data of the sample clients, CDNOW, Corner and Marea, into data/

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

$(SAMPLES): $(wildcard core/kpibook/samples/*.py) | $(READY)
	@$(BIN)/python -m kpibook.samples data
	@touch $@

# uv: the one on PATH, else from PyPI by pip, else by a pip of its own.
$(READY): pyproject.toml constraints.txt
	@set -e; \
	for python in $(PYTHON) python3.13 python3.12 python3.11 none; do \
	  if [ $$python = none ]; then echo "make: no Python from 3.11 on · install python3, or name one: make PYTHON=..." >&2; exit 1; fi; \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; \
	done; \
	uv=; for found in "$$(command -v uv)" .venv/tools/bin/uv; do \
	  if [ -z "$$uv" ] && "$$found" --version >/dev/null 2>&1; then uv=$$found; fi; \
	done; \
	if [ -z "$$uv" ]; then \
	  echo "make: fetching uv"; \
	  uv=.venv/tools/bin/uv; \
	  $$python -m pip install $(QUIET) --upgrade --target .venv/tools --constraint constraints.txt uv 2>/dev/null \
	  || { $$python -m venv --clear .venv/tools >&2 && .venv/tools/bin/python -m pip install $(QUIET) --constraint constraints.txt uv; } \
	  || { echo "make: uv could not be fetched · install uv, python3-pip or python3-venv, and see that PyPI is reached" >&2; exit 1; }; \
	fi; \
	if ! $(BIN)/python -c 'import sys' 2>/dev/null; then $$uv venv --quiet --allow-existing --python $$python .venv; fi; \
	echo "make: setting up .venv"; \
	$$uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --build-constraint constraints.txt --editable '.[dev,demo,exports]'
	@touch $@
