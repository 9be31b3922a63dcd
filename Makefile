# Two commands matter: `make up` installs everything and runs the example; `make test` installs everything and tests it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
SYSTEM ?= examples/claims/caisson.yaml

.PHONY: help install dev up down test lint lock picture bench bench-peers bench-detect bench-detect-peers prove-mutations soak soak-kill fuzz campaign-hostile train-people iam-differential clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

$(VENV)/.made:
	@scripts/venv $(PYTHON) $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made requirements.lock pyproject.toml
	@echo "Installing Caisson (hash-checked from requirements.lock) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m caisson.cli.prepare >/dev/null || true
	@touch $@

$(VENV)/.dev: $(VENV)/.installed requirements-dev.lock scripts/debian tests/iam_simulator/package-lock.json
	@scripts/debian bwrap bubblewrap
	@scripts/debian npm npm
	@NODE_EXTRA_CA_CERTS=$${NODE_EXTRA_CA_CERTS:-$(wildcard /etc/ssl/certs/ca-certificates.crt)} \
	  npm ci --prefix tests/iam_simulator --ignore-scripts --no-audit --no-fund --silent
	@scripts/debian systemd-analyze systemd
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.checkov: $(VENV)/.made requirements-checkov.lock
	@scripts/venv $(PYTHON) $(VENV)/checkov
	@$(VENV)/checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-checkov.lock
	@touch $@

install: $(VENV)/.installed ## what is needed to run, into .venv
dev: $(VENV)/.dev $(VENV)/.checkov ## and what is needed to test

up: install ## run the example system (SYSTEM=examples/claims/caisson.yaml)
	@exec $(BIN)/caisson up --system $(SYSTEM)

down: install ## stop it
	@$(BIN)/caisson down

test: dev ## all tests
	@scripts/test $(BIN)/python

lint: dev ## formatting, types, import direction
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

picture: dev ## docs/architecture.svg, from the example's templates
	@mkdir -p build
	@$(BIN)/caisson synth --system examples/aws/caisson.yaml --out build/deployment >/dev/null
	@cp build/deployment/architecture.svg docs/architecture.svg

bench: dev ## throughput and latency beside a bare pass-through and peers
	@$(BIN)/python -m bench.run

bench-peers: ## LiteLLM and Portkey for `make bench`, into bench/.peers (needs Node)
	@test -d bench/.peers/litellm || $(PYTHON) -m venv bench/.peers/litellm
	@bench/.peers/litellm/bin/python -m pip install --quiet --disable-pip-version-check 'litellm[proxy]==1.105.3'
	@npm install --prefix bench/.peers/portkey --ignore-scripts --no-audit --no-fund --silent @portkey-ai/gateway@1.15.2

bench-detect: dev ## the detectors beside peers, with what is trained trained again (CORPORA=DIR)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable '.[training]'
	@$(BIN)/python -m bench.detect --corpora $(CORPORA)

bench-detect-peers: ## detect-secrets and Presidio for `make bench-detect`, into bench/.peers
	@for peer in detect-secrets==1.5.0 presidio-analyzer==2.2.366; do \
	  place=bench/.peers/$${peer%%-analyzer*}; place=$${place%%==*}; \
	  test -d $$place || $(PYTHON) -m venv $$place; \
	  $$place/bin/python -m pip install --quiet --disable-pip-version-check $$peer; done

prove-mutations: dev ## weaken the example's deployment in hundreds of ways, and see that `prove` notices
	@$(BIN)/python -m bench.prove_mutations
	@$(BIN)/python -m bench.prove_openings

soak: dev ## memory growth under load
	@$(BIN)/python -m bench.soak

soak-kill: dev ## 200 kills of any process under load (WORKERS=2 for several gateway workers)
	@$(BIN)/python -m bench.soak_kill --workers $(or $(WORKERS),1)

fuzz: dev ## 50,000 malformed requests and answers of the model's server (COUNT=1000000)
	@$(BIN)/python -m bench.fuzz --count $(or $(COUNT),50000) --seed $(or $(SEED),1)

campaign-hostile: dev ## an hour of conversations with a hostile model (SECONDS=60)
	@$(BIN)/python -m bench.campaign_hostile --seconds $(or $(SECONDS),3600) --seed $(or $(SEED),1)

train-people: dev ## train the recogniser of names and addresses again (CORPORA=DIR); the same file comes out
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable '.[training]'
	@$(BIN)/python training/people.py --corpora $(CORPORA)

iam-differential: dev ## 20,000 IAM decisions beside an independent simulator (DECIDED=100000 SEED=2)
	@$(BIN)/python tests/iam_comparison.py --decided $(or $(DECIDED),20000) --seed $(or $(SEED),1)

lock: ## renew the lock files (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra aws --extra dev --extra otel -c requirements.lock pyproject.toml -o requirements-dev.lock
	echo checkov | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header - -o requirements-checkov.lock

clean: ## remove what make made
	rm -rf $(VENV) build dist *.egg-info src/*.egg-info
