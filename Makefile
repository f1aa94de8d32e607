# Everything a newcomer needs is python3 and make. Set-up talks to stderr, so that stdout belongs to the bot.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --progress-bar off --require-hashes
# Empty unless given: make test ARGS="-k roadmap", make run ARGS="doctor", make lock ARGS=--upgrade
ARGS ?=
# Where make e2e and make bench keep the pictures that they make: make e2e PICTURES=docs/pictures
PICTURES ?=

MAKEFLAGS += --no-print-directory --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.PHONY: help run test e2e load fire bench check audit sbom dist notes pictures heights format lock clean

help:
	@echo "make run     set up once, then start the bot: in the terminal, or in Slack where credentials are set"
	@echo "make test    the quick tests, offline once set up"
	@echo "make check   style, types, import contracts, knowledge"
	@echo "make audit   known vulnerabilities of the packages of requirements.txt, where an advisory database can be reached"
	@echo "make sbom    a CycloneDX SBOM of what requirements.txt locks, into build/askpy.cdx.json"
	@echo "make dist    the wheel and the source archive, into dist/: the same bytes for the same commit"
	@echo "make e2e     the bot against a stand-in Slack, a browser and a PostgreSQL of its own (Linux, x86-64)"
	@echo "make pictures  renders every kind of reply to PNG, into build/pictures and the best into docs/pictures"
	@echo "make heights  the height of every card in Slack at a phone's width; fails above 900 pixels"
	@echo "make load    answers a second over HTTP and their CPU, beside a bare Bolt app; a stand-in Slack, two minutes"
	@echo "make fire    load, flood, kills, Slack's faults, fuzz, memory on both databases; an hour, or parts: ARGS=\"kill day\""
	@echo "make bench   the matcher beside others on public question sets, half an hour; ASKPY_BENCHMARK_DATA names their folder"
	@echo "make format  let ruff mend what it can"
	@echo "make lock    compile requirements.txt and tests/requirements.txt from pyproject.toml"
	@echo "make clean   remove what the above made"

run: $(VENV)/.ready-to-run
	@$(BIN)/python -m bot $(ARGS)

# Four processes, for two cores: a tenth of the tests wait, for a lock or a Slack that says nothing, and others run meanwhile. Who has
# nothing left takes from the others: files kept whole left one process at work for a quarter of the time.
test: $(VENV)/.ready-to-test
	@$(BIN)/python -m pytest --ignore tests/e2e -m "not e2e" -n 4 --dist worksteal $(ARGS)

check: $(VENV)/.ready-to-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/python -m bot check knowledge
	$(BIN)/python -m pytest tests/test_secrets.py

audit: $(VENV)/audit/.ready
	@$(VENV)/audit/bin/python tests/audit/audit.py $(ARGS)

sbom: $(VENV)/audit/.ready
	@$(VENV)/audit/bin/python tests/audit/audit.py --sbom build/askpy.cdx.json

dist: $(VENV)/.ready-to-test
	@rm -rf dist
	@SOURCE_DATE_EPOCH="$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)}" $(BIN)/python -m hatchling build --directory dist

# What the changelog says of the version, for a release: TAG=v1.2.3 make notes. By the
# environment: make would expand a $(…) in a variable that is given as an argument.
notes:
	@version="$$(sed -n 's/^__version__ = "\(.*\)"$$/\1/p' bot/__init__.py)"; \
	if [ "$$TAG" != "v$$version" ]; then \
	  echo "The tag is '$$TAG', and bot/__init__.py says $$version." >&2; exit 1; \
	fi; \
	mkdir -p build; \
	awk -v start="## [$$version]" 'index($$0, start) == 1 { on = 1; next } /^## / { on = 0 } on' CHANGELOG.md >build/notes.md; \
	if ! grep -q '[^[:space:]]' build/notes.md; then \
	  echo "CHANGELOG.md has nothing under [$$version]." >&2; exit 1; \
	fi

format: $(VENV)/.ready-to-test
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

ifeq ($(shell uname -sm),Linux x86_64)
# Three processes, for two cores: most of the time these tests wait. tests/conftest.py says which files come first.
e2e: $(VENV)/.ready-to-test tests/e2e/node_modules/.ready
	@ASKPY_TEST_PICTURES="$(PICTURES)" $(BIN)/python -m pytest -m e2e -rs -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)
else
e2e:
	@echo "make e2e: the stand-in Slack exists for Linux on x86-64 only. Nothing was run here, and nothing failed."
endif

pictures: $(VENV)/.ready-to-run tests/pictures/node_modules/.ready
	@set -e; mkdir -p build; $(BIN)/python -m tests.pictures.scenes $(ARGS) >build/scenes.json; \
	  node tests/pictures/shoot.mjs build/pictures docs/pictures <build/scenes.json

heights: $(VENV)/.ready-to-run tests/pictures/node_modules/.ready
	@set -e; mkdir -p build; $(BIN)/python -m tests.pictures.scenes --cards >build/cards.json; \
	  node tests/pictures/shoot.mjs --heights 900 <build/cards.json

load: $(VENV)/.ready-to-load
	@$(BIN)/python -m benchmarks.load.throughput $(ARGS)

fire: $(VENV)/.ready-to-test
	@$(BIN)/python -m benchmarks.load.fire $(ARGS)

bench: $(VENV)/.ready-to-bench
	@$(BIN)/python -m benchmarks.matchers $(if $(PICTURES),--pictures "$(PICTURES)") $(ARGS)

# What requirements.txt has beside the dependencies, so that `make run` can do all that the README says.
EXTRAS := postgres metrics curate xlsx oauth
# --universal: one lock for every system and every Python that pyproject.toml admits.
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock"

lock: $(VENV)/.ready-to-test
	$(LOCK) pyproject.toml $(EXTRAS:%=--extra %) --output-file requirements.txt $(ARGS)
	$(LOCK) pyproject.toml --all-extras --constraints requirements.txt --output-file tests/requirements.txt $(ARGS)
	$(LOCK) tests/audit/requirements.in --constraints requirements.txt --output-file tests/audit/requirements.txt $(ARGS)
	$(LOCK) benchmarks/requirements.in --constraints requirements.txt --output-file benchmarks/requirements.txt $(ARGS)
	$(LOCK) benchmarks/load/requirements.in --constraints tests/requirements.txt --output-file benchmarks/load/requirements.txt $(ARGS)

clean:
	rm -rf $(VENV) tests/e2e/node_modules build dist *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# --- Set-up: each stamp is newer than what it was made from ----------------------------------

$(VENV)/.made:
	@python=$$(for python in $${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$python" && break; done); \
	if [ -z "$$python" ]; then \
	  echo "AskPy needs Python 3.11 or newer, and none was found here. Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$("$$python" --version), once." >&2; \
	"$$python" -m venv $(VENV) </dev/null >&2 || { \
	  rm -rf $(VENV); \
	  echo "Python's venv module did not work. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; \
	touch $@

$(VENV)/.ready-to-run: requirements.txt $(VENV)/.made
	@echo "Installing what requirements.txt lists." >&2
	@$(PIP) --requirement requirements.txt </dev/null >&2
	@touch $@

$(VENV)/.ready-to-test: tests/requirements.txt requirements.txt $(VENV)/.made
	@echo "Installing what tests/requirements.txt lists." >&2
	@$(PIP) --requirement tests/requirements.txt </dev/null >&2
	@touch $@ $(VENV)/.ready-to-run

$(VENV)/.ready-to-bench: benchmarks/requirements.txt $(VENV)/.ready-to-run
	@echo "Installing what benchmarks/requirements.txt lists." >&2
	@$(PIP) --requirement benchmarks/requirements.txt </dev/null >&2
	@touch $@

$(VENV)/.ready-to-load: benchmarks/load/requirements.txt $(VENV)/.ready-to-test
	@echo "Installing what benchmarks/load/requirements.txt lists." >&2
	@$(PIP) --requirement benchmarks/load/requirements.txt </dev/null >&2
	@touch $@

# A folder of its own: the auditor brings thirty packages that the bot has no business with.
$(VENV)/audit/.ready: tests/audit/requirements.txt $(VENV)/.made
	@echo "Installing what tests/audit/requirements.txt lists." >&2
	@$(BIN)/python -m venv $(VENV)/audit </dev/null >&2
	@$(VENV)/audit/bin/python -m pip --disable-pip-version-check install --quiet --progress-bar off --require-hashes \
	  --requirement tests/audit/requirements.txt </dev/null >&2
	@touch $@

tests/e2e/node_modules/.ready: tests/e2e/package-lock.json
	@command -v npm >/dev/null || { echo "make e2e needs npm. On Debian and Ubuntu: apt install npm chromium" >&2; exit 1; }
	@echo "Installing what tests/e2e/package-lock.json lists." >&2
	@npm ci --prefix tests/e2e --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2
	@touch $@

tests/pictures/node_modules/.ready: tests/pictures/package-lock.json
	@command -v npm >/dev/null || { echo "make pictures needs npm. On Debian and Ubuntu: apt install npm chromium" >&2; exit 1; }
	@echo "Installing what tests/pictures/package-lock.json lists." >&2
	@npm ci --prefix tests/pictures --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2
	@touch $@
