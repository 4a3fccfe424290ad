# The two commands of the README need make and Python 3.11 or newer with venv, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
STORE ?= store

.PHONY: demo test test-slow test-lowest test-gpu lint ship dist advisories docs docs-update pictures clean
.DEFAULT_GOAL := test

# Re-made when the project's own requirements change. --no-deps cannot be used: extras pull in libraries.
.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "planner needs Python 3.11 or newer; $$($(PYTHON) --version) was found: install one and run make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "this Python has no venv module: run 'apt install python3-venv' and then make $(MAKECMDGOALS) again"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
	@touch $@

# Each step fails the whole
demo: .venv/ready
	$(BIN)/planner calibrate --domain speech --preset demo --store $(STORE)
	$(BIN)/planner estimate --domain speech --target-wer 5% --store $(STORE)
	$(BIN)/planner verify --domain speech --store $(STORE)

lint: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n 2 -v -m "not slow and not gpu"

test-slow: .venv/ready
	$(BIN)/python -m pytest -v -m "slow and not gpu"

# The oldest version of every library that pyproject.toml allows, and the fast tests without trainings
test-lowest: .venv-lowest/ready
	.venv-lowest/bin/python -m pytest -q -W ignore::DeprecationWarning -m "not slow and not gpu and not torch and not browser and not ray" -k "not picture_of_the_ranks" tests/laws tests/planner

.venv-lowest/ready: pyproject.toml tests/lowest.py
	$(PYTHON) -m venv .venv-lowest
	$(PYTHON) tests/lowest.py pyproject.toml > build/lowest.txt
	.venv-lowest/bin/pip install --quiet --disable-pip-version-check -c build/lowest.txt -e '.[plot,netcdf,dev]'
	@touch $@

# On a machine with an NVIDIA GPU, where torch is a build for it
test-gpu: .venv/ready
	$(BIN)/python -m pytest -v -m gpu

# make ship STORE=store SWEEPS='25c3 8b61': laws of these sweeps become part of the package (docs/reference/bundled.md)
ship: .venv/ready
	$(BIN)/python -m laws.catalog.bundle $(STORE) $(SWEEPS)
	$(BIN)/python -m cogapp -rP docs/reference/bundled.md docs/research/accuracy.md

# Every page shows what the program prints now: read the difference before you commit it
docs-update: .venv/ready
	$(BIN)/python -m cogapp -rP README.md docs/*.md docs/*/*.md

# The documentation as a site in build/site: open build/site/index.html, or copy the folder to any web server.
# Its tools have an environment of their own, which neither the program nor its tests need.
docs: .venv-docs/ready
	.venv-docs/bin/sphinx-build -q -W --keep-going -b html docs build/site

.venv-docs/ready: docs/requirements.txt
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/pip install --quiet --disable-pip-version-check -r docs/requirements.txt
	@touch $@

# docs/pictures, in a Chromium: look at them before you commit them
pictures: .venv/ready
	$(BIN)/python -m docs.generators.pictures

# Wheel and source distribution in dist/, checked; docs/contributing/release.md has the steps of a release
dist: .venv-dist/ready
	rm -rf dist
	.venv-dist/bin/python -m build --outdir dist .
	.venv-dist/bin/twine check --strict dist/*

.venv-dist/ready: Makefile
	$(PYTHON) -m venv .venv-dist
	.venv-dist/bin/pip install --quiet --disable-pip-version-check build==1.6.1 twine==7.0.0
	@touch $@

# What is installed against published advisories; needs a network
advisories: .venv/ready
	$(BIN)/python tests/advisories.py

clean:
	rm -rf .venv .venv-docs .venv-dist build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
