# On a new machine, run `make sandbox` and `make test`.
# They need Python 3.11 or later, and install everything else in .venv and a shared cache. `make packages` installs the
# programs that only a package of the system has.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
AUDIT  := .venv-audit
NAMES  := build/names
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help packages setup engine tools sandbox down preview test test-names check audit format golden schema bench soak lock clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

packages:  ## Install the programs of this machine that are missing (Debian; as root or with sudo)
	@$(PYTHON) -m atwork.toolchain.machine

setup: $(STAMP)  ## Install the pinned Python packages into .venv

$(STAMP): requirements/bootstrap.txt requirements/run.txt requirements/sandbox.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11: install Python 3.11 or later, or run make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "cannot create a virtual environment; on Debian, run make packages" >&2; exit 1; }
	@echo "Installing the pinned Python packages into $(VENV) (half a minute, once)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode \
	  requirements/bootstrap.txt requirements/run.txt requirements/sandbox.txt requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

engine: setup  ## Find the Pulumi engine, or build it once into the shared cache
	@$(BIN)/atwork engine

tools: setup  ## Find or build what the tests run: helm, crane, a registry, promtool, a Kubernetes control plane
	@$(BIN)/atwork tools

sandbox: setup  ## Create every environment on this machine, without a cloud account (CLUSTERS=real, NODES=real)
	@$(BIN)/atwork sandbox up $(if $(CLUSTERS),--clusters $(CLUSTERS)) $(if $(NODES),--nodes $(NODES))

down: setup  ## Destroy the environments of the sandbox
	@$(BIN)/atwork sandbox down

preview: setup  ## Preview every environment in the sandbox
	@$(BIN)/atwork sandbox preview

test: setup  ## Run every check and every test
	@$(MAKE) --no-print-directory check engine tools
	@$(BIN)/pytest -n 2 --dist loadfile --durations 15 --durations-min 30
	@$(MAKE) --no-print-directory audit

test-names: setup engine tools  ## Run the end-to-end tests in a copy whose environments have other names
	@rm -rf $(NAMES)
	@PYTHONPATH=tests $(BIN)/python -m support.renamed $(NAMES)
	@cd $(NAMES) && $(abspath $(BIN))/pytest -q tests/graph/test_picture.py --regen-all
	@cd $(NAMES) && $(abspath $(BIN))/pytest -n 2 --dist loadfile -m engine \
	  --ignore tests/sandbox/test_other_names.py --ignore tests/tools/soak $(or $(TESTS),tests)

check: setup  ## Lint, format check, plain English, layers and strict types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python -m tools.language
	@$(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/basedpyright

audit: setup $(AUDIT)/.installed  ## Check the environments with checkov, as Terraform and as manifests
	@$(AUDIT)/bin/python -m tools.audit

$(AUDIT)/.installed: requirements/audit.txt | $(STAMP)
	@echo "Installing checkov into $(AUDIT) (half a minute, once)"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(AUDIT)
	@$(BIN)/uv pip sync --quiet --python $(AUDIT)/bin/python --require-hashes requirements/audit.txt
	@touch $@

format: setup  ## Rewrite the code in the project's format
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

golden: setup  ## Rewrite the generated inventories: tests/golden, docs/topology.svg, docs/network.md
	@$(BIN)/pytest -q tests/infra/test_golden.py tests/infra/reference tests/components/jenkins tests/graph/test_picture.py \
	  tests/sandbox/verify/test_policies.py tests/report/test_golden.py --regen-all

schema: setup  ## Rewrite the JSON Schemas of stack files, services and reports, and docs/reference
	@$(BIN)/atwork schema --write

bench: setup  ## Measure where the time goes (not a test)
	@$(BIN)/atwork bench

soak: setup engine  ## Run two small environments through random updates, faults and kills: STEPS=300 SEED=… FOLDER=…
	@$(BIN)/python -m tools.soak --steps $(or $(STEPS),300) $(if $(SEED),--seed $(SEED)) $(if $(FOLDER),--folder $(FOLDER))

lock: setup  ## Pin the dependencies of pyproject.toml again, with hashes
	@cd requirements && ../$(BIN)/uv pip compile $(LOCKFLAGS) ../pyproject.toml -o run.txt
	@cd requirements && $(EXTRA) | ../$(BIN)/uv pip compile $(LOCKFLAGS) -c run.txt -o sandbox.txt -
	@cd requirements && ../$(BIN)/uv pip compile $(LOCKFLAGS) --group ../pyproject.toml:dev -c run.txt -c sandbox.txt -o dev.txt
	@cd requirements && ../$(BIN)/uv pip compile $(LOCKFLAGS) bootstrap.in -o bootstrap.txt
	@cd requirements && ../$(BIN)/uv pip compile $(LOCKFLAGS) audit.in -o audit.txt
	@cd requirements && ../$(BIN)/uv pip compile $(LOCKFLAGS) go.in -o go.txt
	@cd delivery/template/locks && for part in postgres-redis base postgres redis test; do \
	  ../../../$(BIN)/uv pip compile $(LOCKFLAGS) $$part.in $$(test $$part = postgres-redis || echo -c postgres-redis.txt) -o $$part.txt || exit 1; done
EXTRA := ../$(BIN)/python -c "import tomllib; print(*tomllib.load(open('../pyproject.toml', 'rb'))['project']['optional-dependencies']['sandbox'], sep='\n')"
LOCKFLAGS := --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-annotate --upgrade \
  --custom-compile-command "make lock"

clean:  ## Remove the virtual environment and the sandbox of this checkout
	rm -rf $(VENV) $(AUDIT) $(NAMES) .sandbox
