# Every command makes its own virtual environment in .venv and works in a fresh clone that has only Python,
# make and a C compiler. Arguments go on: `make test ARGS='-k copy'`, `make demo ARGS='--users 20'`.

PYTHON ?= python3
ARGS ?=

BIN := .venv/bin

# One stamp per set of extras, older than one of these when it is out of date.
.venv/has-%: pyproject.toml setup.py $(wildcard greenpg/pq/_*.p[yx]?)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing greenpg[$*] into .venv"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[$*]'
	@touch $@

.PHONY: demo test lint types docs bench clean

demo: .venv/has-demo
	@$(BIN)/greenpg demo $(ARGS)

# Other versions of psycopg, each in a folder of its own.
.venv/psycopgs: .venv/has-test tests/psycopg_versions.py
	@echo "installing other versions of psycopg beside"
	@$(BIN)/python -m tests.psycopg_versions
	@touch $@

test: .venv/has-test .venv/psycopgs
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 $(ARGS)

lint: .venv/has-test
	@$(BIN)/ruff check . $(ARGS)
	@$(BIN)/ruff format --check .

types: .venv/has-test
	@$(BIN)/mypy $(ARGS)

docs: .venv/has-docs
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs $(ARGS)

bench: .venv/has-bench
	@$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf .venv build *.egg-info
