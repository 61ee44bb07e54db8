# The two commands of the README, and what the gate runs. Needs Python 3.11+, git and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint wheel-check docs bench counts snapshots texts clean

demo: $(VENV)/ready
	$(BIN)/bi-mcp demo

test: $(VENV)/ready
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The wheel alone, in an empty environment: what a user of the package index gets.
wheel-check: $(VENV)/ready
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m build --wheel --outdir build/wheel . > /dev/null
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/python -m pip install --quiet build/wheel/*.whl
	build/wheel/venv/bin/python tests/wheel_smoke.py
	build/wheel/venv/bin/bi-mcp demo > build/wheel/demo.txt

# The documentation site in build/docs. A broken link is an error.
docs: $(VENV)/docs-ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

bench: $(VENV)/ready
	mkdir -p build
	$(BIN)/python -m benchmarks --json build/bench.json --chart build/bench.svg

# The goals that are counted and not timed: requests and characters. Part of the gate.
counts: $(VENV)/ready
	$(BIN)/python -m benchmarks $(addprefix --only ,size size-default size-read-only snapshot-requests apply-requests plan-requests)

# One command rewrites the committed contract of every tool; read the diff before you commit it.
snapshots: $(VENV)/ready
	$(BIN)/python -m pytest tests/server/test_contract.py tests/server/test_readme.py tests/workspace/test_schema.py --update-contract -q

# Collects the texts that people read, for translation, and compiles the translations.
texts: $(VENV)/ready
	$(BIN)/python -m tests.language.catalogues

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

$(VENV)/docs-ready: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --group docs
	touch $@

clean:
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
