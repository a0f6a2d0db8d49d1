# Set-up and the main jobs. `make` alone lists the targets; `make tour PYTHON=python3.12` takes another Python.
#
# Every step of the set-up leaves an empty file in .venv/.done when it has succeeded, so a second `make` installs
# nothing, an interrupted step is done again, and a change of pyproject.toml or of a lock installs anew. All that is
# downloaded is in a lock, with the sha256 of its files (requirements/, tools/lock.py); anything else is refused.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DONE   := $(VENV)/.done
MAINTAIN := $(VENV)/maintain/bin
SEEDS  ?= 10
JOBS   ?= 2
PARALLEL = --numprocesses $(JOBS) --dist loadgroup --no-loadscope-reorder  # tests/conftest.py makes the groups
ARGS   ?=
PIP    := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet --no-deps
LOCKED := $(PIP) --require-hashes --only-binary :all: --requirement

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help tour table check test soak coverage lint lab notebooks book figures doctor lock audit oldest newest clean

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile
	@echo "ARGS='...' is handed on to tour, table, test, notebooks and book; PYTHON=python3.12 chooses the Python of a new $(VENV)."

tour: $(DONE)/core ## installs, trains a teacher and its students, prints the paper's Table 1
	$(BIN)/seqkd-lab tour $(ARGS)

table: $(DONE)/core ## all ten rows of Table 1 with ten seeds, 21 to 30 (SEEDS=10)
	$(BIN)/seqkd-lab table --seeds $(SEEDS) $(ARGS)

check: $(DONE)/test lint ## format, style, types and the quick tests, in under two minutes: before every commit
	$(BIN)/python -m pytest -q -m "not slow" $(PARALLEL) --ignore=tests/lab $(ARGS)

test: $(DONE)/test ## installs what the tests need and runs them all, JOBS=2 at once
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

soak: $(DONE)/test ## every attack in its long form, with a table of what was tried
	@rm -f runs/soak.jsonl && mkdir -p runs
	SEQKD_LAB_SOAK=1 SEQKD_LAB_SOAK_COUNTS=$(CURDIR)/runs/soak.jsonl \
	  $(BIN)/python -m pytest -q $(PARALLEL) tests/attacks $(ARGS); \
	  status=$$?; SEQKD_LAB_SOAK_COUNTS=runs/soak.jsonl $(BIN)/python tests/soak.py; exit $$status

coverage: $(DONE)/test ## runs the quick tests and says which lines of the library they reach
	$(BIN)/python -m pytest -q -m "not slow" $(PARALLEL) --cov --cov-report=term $(ARGS)

lint: $(DONE)/test ## checks format, style and types, and counts what the lessons' prose may improve
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	$(BIN)/python tools/check_prose.py --summary

lab: $(DONE)/lab ## installs JupyterLab and opens the first notebook
	$(BIN)/jupyter lab notebooks/00_start_here.ipynb

notebooks: $(DONE)/test ## runs every notebook in full; prints seconds and peak memory
	$(BIN)/python tools/run_notebooks.py $(ARGS)

book: $(DONE)/book ## runs the lessons into a site that plays without a kernel: runs/book/html/index.html
	$(BIN)/python -m book $(ARGS)

figures: $(DONE)/book ## runs the lessons; writes each picture as SVG, PDF and numbers to runs/figures/
	$(BIN)/python -m book --figures $(ARGS)

doctor: $(DONE)/core ## checks the environment and says what to do
	$(BIN)/seqkd-lab doctor

lock: $(DONE)/maintain ## resolves requirements/*.txt anew from pyproject.toml (ARGS=--upgrade: newer versions)
	$(MAINTAIN)/python tools/lock.py $(ARGS)

audit: $(DONE)/test $(DONE)/maintain ## known vulnerabilities and licences of all that is installed
	$(BIN)/python tools/audit.py --pip-audit $(MAINTAIN)/pip-audit $(ARGS)

oldest: $(DONE)/maintain ## the quick tests with the oldest versions that pyproject.toml allows
	$(MAINTAIN)/python tools/check_versions.py $@ $(ARGS)

newest: $(DONE)/maintain ## the quick tests with the newest versions that pyproject.toml allows
	$(MAINTAIN)/python tools/check_versions.py $@ $(ARGS)

clean: ## removes the environment and what tools left behind; keeps runs/ and data/
	rm -rf $(VENV) build dist .pytest_cache .hypothesis .ruff_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(DONE)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "Python 3.10 or later is needed, as PYTHON=python3.12 for example; '$(PYTHON)' is not that." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  version="$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')"; \
	  echo "'$(PYTHON)' cannot make environments. On Debian and Ubuntu: sudo apt install python$$version-venv" >&2; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $(DONE) && touch $@

$(DONE)/torch: $(DONE)/venv requirements/torch.txt tools/install_torch.py
	$(BIN)/python tools/install_torch.py
	@touch $@

$(DONE)/core: $(DONE)/torch pyproject.toml requirements/core.txt
	@echo "Installing seqkd_lab and what it needs (a minute or two) ..."
	$(LOCKED) requirements/core.txt
	$(PIP) --no-build-isolation --editable .
	@touch $@

$(DONE)/test: $(DONE)/core requirements/test.txt requirements/book.txt requirements/lab.txt
	$(LOCKED) requirements/test.txt
	@touch $@

$(DONE)/book: $(DONE)/core requirements/book.txt requirements/lab.txt
	$(LOCKED) requirements/book.txt
	@touch $@

$(DONE)/lab: $(DONE)/core requirements/lab.txt
	@echo "Installing JupyterLab (a minute or two) ..."
	$(LOCKED) requirements/lab.txt
	@touch $@

$(DONE)/maintain: $(DONE)/venv requirements/maintain.txt  # apart from what these tools look at
	$(PYTHON) -m venv $(VENV)/maintain
	PIP_DISABLE_PIP_VERSION_CHECK=1 $(MAINTAIN)/python -m pip install --quiet --no-deps --require-hashes \
	  --requirement requirements/maintain.txt
	@touch $@
