# Two commands on a fresh machine: `make run` to see it, `make test` to trust it.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# Needs no server and no process; with the linters it is done in a minute. `make test` is the rest.
QUICK := tests/test_imports.py tests/engine/test_tick.py tests/engine/test_election.py tests/edits/test_editing.py tests/test_example_config.py tests/test_planning.py tests/edits/test_apply_declared.py tests/edits/test_replan.py \
  tests/config tests/schedules/test_cron_text.py tests/schedules/test_values.py tests/test_time_page.py tests/stores/test_catalog.py \
  tests/stores/test_ledger.py tests/test_overlap.py tests/engine/test_overlap.py tests/alerts/test_judge.py tests/alerts/test_digest.py tests/why/test_chain.py -k "not redis and not postgresql and not pgbouncer and not mariadb and not shelve"

.PHONY: help run test peers check format bench chaos simulate fuzz mutants docs references screenshots recording release clean

help:  ## What there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/ready: pyproject.toml
	@command -v $(firstword $(PYTHON)) >/dev/null || { echo "There is no $(PYTHON) on this machine; install Python 3.11 or later, or name the one that is there: make PYTHON=python3 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; v[:2] < (3, 11) and sys.exit("$(PYTHON) is Python %d.%d.%d, and beatd needs Python 3.11 or later; name another: make PYTHON=python3.11 $(MAKECMDGOALS)" % v[:3])'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no module venv; on Debian and Ubuntu: apt-get install $(notdir $(PYTHON))-venv"; exit 1; }
	@echo "Installing into $(VENV) (once)…"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' 2>/dev/null
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[postgresql,mysql,solar,msgpack]'
	@touch $@

$(VENV)/dev: $(VENV)/ready
	@$(BIN)/pip install --quiet --disable-pip-version-check --group dev
	@touch $@

# Each of the two is a process group of its own, which gets one signal: Ctrl-C reaches this shell
# alone, and the last lines of both are still shown.
run: SHELL := bash
run: $(VENV)/ready  ## The daemon with config.example.yaml and a real Celery worker, no server needed
	@echo "From a second terminal, add an entry of your own:"
	@echo "  $(BIN)/beatd add hello --task demo.say --every 3s --args '[\"hello\"]' -c config.example.yaml"
	@echo "  $(BIN)/beatd list -c config.example.yaml"
	@echo "Ctrl-C ends both. The page: http://127.0.0.1:9753/"; echo
	@set -m; heard() { trap '' INT TERM; "$$@"; }; shown() { sed -u "s/^/$$1 | /"; }; \
	(trap : TERM; $(BIN)/celery -A beatd.demo worker --pool solo --loglevel info --without-gossip --without-mingle --without-heartbeat 2>&1 \
	  | heard grep --line-buffered -E 'ready|received|succeeded|raised|Warm shutdown' | heard shown worker) & worker=$$!; \
	(trap : TERM; set -o pipefail; $(BIN)/beatd -c config.example.yaml 2>&1 | heard shown 'beatd ') & daemon=$$!; \
	set +m; trap 'kill -TERM -$$daemon 2>/dev/null' INT TERM HUP; \
	while kill -0 $$daemon 2>/dev/null; do wait $$daemon; code=$$?; done; \
	kill -TERM -$$worker; wait; exit $$code

test: $(VENV)/dev  ## Everything, on private servers; installs what is missing with apt where it may
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/run/parts.py \
	  -m "not long" -p no:cacheprovider --continue-on-collection-errors

peers: $(VENV)/dev  ## Celery's own tests of its beat, from its source distribution, on beatd; part of test
	$(BIN)/pytest -p no:cacheprovider tests/peers/celery

check: $(VENV)/dev  ## Format, lint, types, import directions, quick tests; run it before a commit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q -m "not long" -x $(QUICK)

format: $(VENV)/dev
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: $(VENV)/dev  ## beatd beside its peers, in one run
	$(BIN)/python bench/run all

ifneq ($(MINUTES)$(STORE)$(BROKER)$(BEAT),)
chaos: $(VENV)/dev
	@PATH="$(CURDIR)/$(BIN):$$PATH"; $(BIN)/python -m \
	  $(if $(BEAT),tests.chaos.peer_rig $(BEAT) --broker $(or $(BROKER),redis),tests.chaos.rig $(or $(STORE),redis)+$(or $(BROKER),redis)) \
	  --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1) $(if $(LOGS),--logs '$(LOGS)') $(if $(JSON),--json '$(JSON)')
else
chaos: $(VENV)/dev  ## The long kill loops and soaks (BEATD_SOAK_S=60 for a short soak), and simulate; with MINUTES=10 STORE=redis BROKER=redis only faults for so long, and a table
	@PATH="$(CURDIR)/$(BIN):$$PATH"; code=0; \
	$(BIN)/python tests/run/servers.py $(BIN)/pytest -q -m long --timeout 4000 || code=1; \
	$(MAKE) --no-print-directory simulate || code=1; \
	exit $$code
endif

SEEDS ?= 20000
FROM ?= 0
JOBS ?= 2
simulate: $(VENV)/dev  ## Scenarios under every fault, in simulated time (SEEDS=100000 FROM=0 JOBS=2)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --from $(FROM) --jobs $(JOBS)

INPUTS ?= 100000
fuzz: $(VENV)/dev  ## Changed inputs for all that reads what others wrote (INPUTS=1000000, TARGETS='cron sql', SEED=2)
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m tests.fuzz $(TARGETS) --inputs $(INPUTS) $(if $(SEED),--seed $(SEED))

MODULES ?= beatd/planning.py beatd/catch_up.py beatd/may_still_run.py beatd/overlap.py beatd/by_moment.py $(wildcard beatd/engine/*.py)
mutants: $(VENV)/dev  ## Change the code a little, and see whether a test fails (MODULES='beatd/schedules/cron.py')
	$(BIN)/python -m tests.mutation $(addprefix --module ,$(MODULES))

$(VENV)/docs: $(VENV)/ready
	@$(BIN)/pip install --quiet --disable-pip-version-check --group docs
	@touch $@

docs: $(VENV)/docs  ## The site, into site/; fails on a dead link
	@$(BIN)/python docs/build/make_site.py site
	@echo "To read it, with its search: $(BIN)/python -m http.server -b 127.0.0.1 -d site 8000"

references: $(VENV)/ready  ## The pages of commands and settings, from the code
	$(BIN)/python docs/build/references.py

$(VENV)-release/ready: pyproject.toml $(VENV)/ready
	@$(BIN)/python -m venv $(VENV)-release
	@$(VENV)-release/bin/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(VENV)-release/bin/pip install --quiet --disable-pip-version-check --group release
	@touch $@

release: $(VENV)-release/ready  ## Build the tagged version into dist/ and check it; uploads nothing (ACCEPT='ID…', WITHOUT_AUDIT=1)
	@PATH="$(CURDIR)/$(VENV)-release/bin:$$PATH" python deploy/release.py --accept '$(ACCEPT)' $(if $(WITHOUT_AUDIT),--without-audit)

screenshots: $(VENV)/dev  ## The pictures of the pages in docs/images, from the demo store
	$(BIN)/python -m tests.browser.screenshots docs/images

recording: $(VENV)/dev  ## The recording of a terminal in docs/images, from real commands (half a minute)
	$(BIN)/python -m tests.recording.record docs/images/terminal.svg

clean:
	rm -rf $(VENV) $(VENV)-release .run dist site .mypy_cache .ruff_cache .pytest_cache
