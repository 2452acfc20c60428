# Two commands on a fresh machine, nothing before them: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= auto

# One thread per process: tests run in as many processes as there are cores.
test bench: export OMP_NUM_THREADS := 1
test bench: export OPENBLAS_NUM_THREADS := 1

.PHONY: help install demo test lint format docs bench clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

install: $(VENV)/.installed  ## make the environment

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test,customers,docs]"
	@touch $@

demo: install  ## the whole way on a simulated market; writes out/demo/report.html
	$(BIN)/alphastrata demo --out out/demo

test: install  ## every test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

lint: install  ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install  ## let ruff format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: install  ## the documentation site, into site/
	$(BIN)/mkdocs build --strict

bench: install  ## every benchmark, one after the other
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

clean:  ## remove the environment and outputs
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache
