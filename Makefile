# Every target works as the first command after `git clone`, and from any folder (`make -C`).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= $(shell nproc)

.PHONY: help venv demo test lint types contracts unit format lock clean verify-engines
.PHONY: docs pictures chromium mutate
.PHONY: bench bench-real
.PHONY: controlplane-build controlplane-up controlplane-down conformance golden
help:
	@echo "make demo     the lesson's queue-pressure result, in one command"
	@echo "make test     everything that must be green"
	@echo "make venv     set up $(VENV) alone"
	@echo "make docs     the documentation, into build/docs; warnings are errors"
	@echo "make pictures draw the documentation's pictures anew; look at them before you commit"
	@echo "make chromium install Chromium for the browser tests (Debian, as root)"
	@echo "make mutate   plant 700 faults in the decision code and see whether the tests notice (20 CPU minutes)"
	@echo "make bench    measure all shapes (RUNS=5); make bench-real: the real scheduler beside each (takes Go)"
	@echo "make format   let the formatter own the layout"
	@echo "make conformance  the simulator against a real control plane (KUBECONFIG=… for one of yours, CASES=200)"
	@echo "make golden   record decisions and timelines anew (KUBE_VERSION=1.36.1, ONLY=preempt_basic)"
	@echo "make lock     choose the newest versions and write requirements/dev.lock"

venv: $(STAMP)

$(STAMP): requirements/dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q gpusched
	touch $(STAMP)

demo: venv
	$(BIN)/python -m gpusched run scenarios/queue_pressure.yaml

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell gpusched tests docs benchmarks tools README.md CONTRIBUTING.md CHANGELOG.md

contracts: venv
	$(BIN)/lint-imports

types: venv
	$(BIN)/mypy

unit: venv
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

# At least 20,000 random steps with both engines at each attempt; the first difference ends it.
verify-engines: venv
	$(BIN)/python -m pytest tests/laws/test_engines.py --hypothesis-profile verify-engines

test: lint contracts types unit

docs: venv
	$(BIN)/python -m sphinx --nitpicky --fail-on-warning --keep-going --quiet docs build/docs
	@echo "open build/docs/index.html"

pictures: venv
	$(BIN)/python -m docs.pictures

# Where it cannot be installed the browser tests are skipped, and say so.
unit: | chromium
chromium:
	@command -v chromedriver >/dev/null \
	  || (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq chromium chromium-driver) >/dev/null 2>&1 \
	  || echo "Chromium cannot be installed here (it takes Debian and root): browser tests will be skipped"

CONTROLPLANE := conformance/recorder/controlplane.sh
STATE ?= build/controlplane
CASES ?= 200
KUBE_VERSION ?= 1.36.1
ONLY ?=

controlplane-build:
	KUBE_VERSION=$(KUBE_VERSION) $(CONTROLPLANE) build

controlplane-up:
	KUBE_VERSION=$(KUBE_VERSION) $(CONTROLPLANE) up $(STATE)

controlplane-down:
	$(CONTROLPLANE) down $(STATE)

# A kubeconfig counts only where it is named on make's command line, never from the environment.
conformance: venv
ifeq ($(origin KUBECONFIG),command line)
	$(BIN)/python -m pytest tests/live -m live -p no:randomly -q --kubeconfig $(KUBECONFIG) --live-cases $(CASES)
else
	KUBE_VERSION=$(KUBE_VERSION) $(CONTROLPLANE) with conformance/live.sh $(BIN)/python --live-cases $(CASES)
endif

golden: venv
	KUBE_VERSION=$(KUBE_VERSION) $(CONTROLPLANE) build
	$(BIN)/python -m conformance.golden --kubernetes $(KUBE_VERSION) $(ONLY)

RUNS ?= 5
bench: venv
	$(BIN)/python -m benchmarks --runs $(RUNS) --write

bench-real: venv
	cd conformance/recorder && go build -o $(CURDIR)/build/bench ./cmd/bench
	$(BIN)/python -m benchmarks --runs $(RUNS) --real build/bench --write

mutate: venv
	$(BIN)/python -m tools.mutate --sample 700 --seed 1 --jobs $(JOBS)

format: venv
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv
	UV_PYTHON_DOWNLOADS=never $(VENV)-lock/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --upgrade --quiet --custom-compile-command "make lock" -o requirements/dev.lock
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
