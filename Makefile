# Two commands: `make demo` runs the main job, `make test` passes all tests. Each does its own set-up in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test check coverage audit setup clean

demo: $(STAMP)
	$(BIN)/evenhand demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy solver scenarios api tests benchmarks

# The annealing counts when it runs uncompiled; everything else runs as users run it.
coverage: $(STAMP)
	COVERAGE_FILE=.coverage.compiled $(BIN)/python -m pytest -q -n 2 tests/solver tests/scenarios --cov --cov-report=
	NUMBA_DISABLE_JIT=1 COVERAGE_FILE=.coverage.plain $(BIN)/python -m pytest -q tests/solver/test_anneal.py --cov --cov-report=
	$(BIN)/python -m coverage combine .coverage.compiled .coverage.plain
	$(BIN)/python -m coverage report --fail-under=95

# Known vulnerabilities of what is pinned; says how many packages could be looked up. Fails when there is one.
audit: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[audit]"
	$(BIN)/python .ci/audit.py

setup: $(STAMP)

# The last step compiles the annealing once; later starts load it from the cache beside the module.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Evenhand needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) --version`. Maybe run: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "$(PYTHON) cannot make a virtual environment. Maybe install its venv package (Debian: python3-venv)."; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	$(BIN)/python -m solver.warm
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .coverage
