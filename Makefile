# `make audit` for users, `make test` for everybody, the rest for developers of auditkit.
PYTHON ?= python3
BIN := .venv/bin
, := ,
# uv takes seconds and pip minutes, but only pip reads an index from pip.conf.
install = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '$(1)' \
	|| $(BIN)/pip install --quiet --constraint constraints.txt --editable '$(1)'

CAMPAIGNS ?= browser clients drift model crash faults hostile canaries mutants benchmarks coverage-study

.PHONY: help audit lab test check campaigns browser clients drift model crash faults hostile canaries mutants benchmarks coverage-study notebooks docs site pins clean

help:
	@echo "make audit      read, reconcile and report on the bundled sandbox (no account needed)"
	@echo "make lab        JupyterLab on notebooks/01_month_end"
	@echo "make test       all checks and tests"
	@echo "make check      lint, types, contracts and the fast tests, in under a minute"
	@echo "make campaigns  every campaign below, each to its end, and one table of them (hours)"
	@echo "make browser    the notebooks and reports in a real browser; screenshots go to build/browser (a minute or two)"
	@echo "make clients    older DuckDB clients, installed into build/clients, read a snapshot like the newest one (a minute)"
	@echo "make drift      every change between two calls, on small worlds, beside a naive reader; large accounts (minutes)"
	@echo "make model      every course a correction can take: kills, other editors, lost and doubled requests (minutes)"
	@echo "make crash      a sync and a correction killed at every point, each system call failing (needs strace; over an hour)"
	@echo "make faults     every fault a vendor may return, at every read and each step of a write; one line of totals (minutes)"
	@echo "make hostile    more than 200 hostile texts through every field and out of nine sinks (minutes)"
	@echo "make benchmarks the fixed cost of an audit; reading beside a bare json_transform; linking beside its peers and at 200,000 NRBs; how often chance makes a group (minutes)"
	@echo "make coverage-study  do the stated confidences of samples hold, in 10,000 simulated populations for each scenario (a minute)"
	@echo "make canaries   a search for leaked secrets after everything that can happen (minutes)"
	@echo "make mutants    every byte of a journal damaged, every line of the code for writes and money changed: all found (minutes)"
	@echo "make notebooks  run the notebooks and store their outputs"
	@echo "make docs       write the generated pages of docs/: commands, month end, Python, rules, tables"
	@echo "make site       build docs/ into build/site, which opens offline; a warning or a dead link is an error"
	@echo "make pins       write constraints.txt and environment.yml"

audit: .venv/users
	@$(BIN)/auditkit demo

# The configuration keeps JupyterLab from asking other hosts for news or updates.
lab: .venv/users
	@JUPYTER_CONFIG_PATH="$(CURDIR)/notebooks/.jupyter" $(BIN)/jupyter lab \
		--ServerApp.root_dir=notebooks --LabApp.default_url=/lab/tree/01_month_end.ipynb $(if $(filter 0,$(shell id -u)),--allow-root)

test: .venv/developers .venv/viewers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

check: .venv/developers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

browser: .venv/developers .venv/viewers
	@$(BIN)/pytest tests/browser -n 2 --dist loadfile -rs -m "campaign or not campaign"

# One after the other, because they share the processors; a failing one does not stop the next.
campaigns: .venv/developers .venv/viewers
	@mkdir -p build/campaigns; echo "commit $$(git describe --always --dirty)"; failed=0; \
	for each in $(CAMPAIGNS); do \
		began=$$(date +%s); result=passed; \
		$(MAKE) --no-print-directory $$each > build/campaigns/$$each.log 2>&1 || { result=FAILED; failed=1; }; \
		printf '%-16s%s %7d s  %s\n' $$each $$result $$(($$(date +%s) - began)) build/campaigns/$$each.log; \
	done; exit $$failed

# A version that cannot be installed is left out, and its test says so.
clients: .venv/developers
	@for version in 1.2 1.3 1.4 1.5; do test -d build/clients/$$version \
		|| $(BIN)/uv pip install --quiet --python $(BIN)/python --target build/clients/$$version "duckdb==$$version.*" \
		|| $(BIN)/pip install --quiet --target build/clients/$$version "duckdb==$$version.*" 2> /dev/null \
		|| rm -rf build/clients/$$version; \
	done
	@$(BIN)/pytest tests/warehouse/test_clients.py -rs

drift: .venv/developers
	@$(BIN)/pytest tests/drift tests/test_sync.py tests/test_end_to_end.py -n 2 -m campaign

model: .venv/developers
	@$(BIN)/pytest tests/protocol tests/corrections/test_state_machine.py -n 2 -m "campaign or not campaign"

crash: .venv/developers
	@$(BIN)/pytest tests/crash -m "campaign or not campaign"

faults: .venv/developers
	@$(BIN)/pytest tests/faults -n 2 -m "campaign or not campaign"

hostile: .venv/developers
	@$(BIN)/pytest tests/hostile -n 2 -m "campaign or not campaign"

canaries: .venv/developers
	@$(BIN)/pytest tests/canaries -m "campaign or not campaign"

benchmarks: .venv/developers
	@$(call install,.[benchmarks])
	@$(BIN)/python -m benchmarks.fixed_cost
	@$(BIN)/python benchmarks/reading.py
	@$(BIN)/python -m benchmarks.linking
	@$(BIN)/pytest tests/checks/test_matching.py -s -m campaign

coverage-study: .venv/developers
	@$(BIN)/python benchmarks/coverage_study.py

mutants: .venv/developers
	@$(call install,.[mutants])
	@$(BIN)/pytest tests/test_journal_damage.py -s -m campaign
	@$(BIN)/python tests/mutants.py

# Outputs are stored, because nbval compares against them: made twice, each time in a fresh home, and refused if they differ.
notebooks: .venv/developers
	@rm -rf build/notebooks
	@for round in first second; do \
		mkdir -p build/notebooks/$$round && for notebook in notebooks/*.ipynb; do \
			AUDITKIT_HOME="$(CURDIR)/build/notebooks/$$round/home" AUDITKIT_QUIET=1 $(BIN)/jupyter nbconvert --log-level=ERROR \
				--to notebook --execute --ExecutePreprocessor.record_timing=False --ExecutePreprocessor.store_widget_state=False \
				--CoalesceStreamsPreprocessor.enabled=True --output-dir build/notebooks/$$round "$$notebook" || exit 1; \
		done; \
	done
	@rm -rf build/notebooks/*/home && diff -r build/notebooks/first build/notebooks/second && cp build/notebooks/first/*.ipynb notebooks/

docs: .venv/users
	@$(BIN)/python -m docs.generator

site: .venv/developers docs
	@$(BIN)/sphinx-build -q -W --keep-going -d build/doctrees docs build/site && echo "build/site/index.html"

pins: .venv/developers
	@$(BIN)/uv pip compile --quiet --universal --no-header --no-annotate --python-version 3.11 --all-extras pyproject.toml \
		| grep -E '^[a-z0-9]' > constraints.new && mv constraints.new constraints.txt
	@$(BIN)/pyproject2conda yaml --extra notebooks --extra test --extra docs --python-include infer --name auditkit --channel conda-forge --no-header \
		--overwrite force --output environment.yml

clean:
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/users: pyproject.toml constraints.txt | .venv/uv
	@echo "Installing auditkit into .venv …"
	@$(call install,.[notebooks])
	@touch $@

.venv/developers: pyproject.toml constraints.txt | .venv/uv
	@echo "Installing auditkit and what its tests need into .venv …"
	@$(call install,.[docs$(,)notebooks$(,)test])
	@touch $@ .venv/users

# Programs that open what auditkit writes, from Debian: a browser, a PDF reader and a spreadsheet. Without them, their tests
# are skipped with a message.
.venv/viewers: | .venv/uv
	@missing=$$(for each in chromium:chromium chromium:fonts-dejavu-core pdftotext:poppler-utils soffice:libreoffice-calc-nogui; do \
			command -v "$${each%:*}" >/dev/null || echo "$${each#*:}"; done); \
	if [ -z "$$missing" ]; then touch $@; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing" $$missing "…" && apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $$missing >/dev/null; then touch $@; \
	else echo "Skipping tests that need them; to run these, as root: apt-get install" $$missing; fi

.venv/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "auditkit needs Python 3.11 or newer; set PYTHON=…")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check uv
	@touch $@
