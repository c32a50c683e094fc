# Needs python3 >= 3.11 and make; everything else goes into .venv.
#
#   make demo     install, solve one gated network, check it against simulated ones
#   make test     install the developer's tools, run the tests
#   make validate-quick   hold the theory against simulated networks
#
# Both installs are editable, so that a `make demo` after a `make test` (or the other
# way round) only ever adds packages and the checkout stays what runs.

PYTHON ?= python3
JOBS ?= auto
PYTEST_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
STAGE := build/stage
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Two BLAS threads on a busy two-core machine run several times slower than one.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

.PHONY: help demo test validate-quick lint types contracts docs bench clean

help:
	@echo 'targets: demo test validate-quick lint types contracts docs bench clean'

demo: $(VENV)/.installed-all
	$(BIN)/python examples/demo.py

test: $(VENV)/.installed-dev
	$(BIN)/pytest -n $(JOBS) --maxprocesses 8 --dist loadgroup $(PYTEST_ARGS)

validate-quick: $(VENV)/.installed-dev
	$(BIN)/dmft validate --all --seed 2026 -o build/validation

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# dmft.derivations and dmft.validation exist under that name only once installed:
# both tools look at a copy laid out as a wheel would be.
types: $(VENV)/.installed-dev
	$(BIN)/python .ci/stage.py $(STAGE)
	cd $(STAGE) && ../../$(BIN)/mypy --config-file ../../pyproject.toml -p dmft

contracts: $(VENV)/.installed-dev
	$(BIN)/python .ci/stage.py $(STAGE)
	cd $(STAGE) && ../../$(BIN)/lint-imports --no-cache --config ../../pyproject.toml

docs: $(VENV)/.installed-dev
	$(BIN)/mkdocs build --strict --config-file docs/mkdocs.yml --site-dir ../build/site
	@echo 'the pages are in build/site'

bench: $(VENV)/.installed-dev
	@set -e; for script in benchmarks/*.py; do \
	    echo "== $$script"; $(BIN)/python "$$script"; done

clean:
	rm -rf build dist demo-output *.egg-info .pytest_cache .mypy_cache .ruff_cache \
	    .hypothesis .benchmarks .import_linter_cache
	find dmft derivations validation tests examples benchmarks \
	    -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit( \
	    f"dmft needs Python 3.11 or newer and {sys.executable} is {v[0]}.{v[1]}; try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-all: pyproject.toml dmft/_version.py | $(VENV)/bin/python
	@echo 'installing dmft with its extras into $(VENV) (about a minute)'
	@$(PIP_INSTALL) --editable '.[all]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml dmft/_version.py | $(VENV)/bin/python
	@echo 'installing dmft with the developer tools into $(VENV) (a minute or two)'
	@$(PIP_INSTALL) --editable '.[dev]'
	@touch $(VENV)/.installed-all $@
