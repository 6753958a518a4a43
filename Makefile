# One file a command: `make audit` for users, `make test` for everybody, the rest for who works on auditkit.
PYTHON ?= python3
BIN := .venv/bin
, := ,
# uv takes seconds where pip takes minutes; pip alone knows a package index that is set in pip.conf.
install = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '$(1)' \
	|| $(BIN)/pip install --quiet --constraint constraints.txt --editable '$(1)'

.PHONY: help audit lab test check notebooks pins clean

help:
	@echo "make audit      the whole way on the bundled sandbox: sync, statement, findings, report (no account needed)"
	@echo "make lab        JupyterLab on notebooks/"
	@echo "make test       everything that must hold"
	@echo "make check      lint, types, contracts and the fast tests, in under a minute"
	@echo "make notebooks  run the notebooks anew and store their outputs"
	@echo "make pins       write constraints.txt and environment.yml anew"

audit: .venv/users
	@$(BIN)/auditkit demo

lab: .venv/users
	@$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/01_month_end.ipynb

test: .venv/developers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/pytest -n 2 --dist loadfile

check: .venv/developers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/pytest -n 2 --dist loadfile -m "not slow"

# Outputs are stored, because nbval compares against them: a fresh home, no progress bars, no times.
notebooks: .venv/developers
	@rm -rf build/notebooks && mkdir -p build
	@AUDITKIT_HOME=build/notebooks AUDITKIT_QUIET=1 $(BIN)/jupyter nbconvert --log-level=ERROR --to notebook --execute --inplace \
		--ExecutePreprocessor.record_timing=False notebooks/*.ipynb

pins: .venv/developers
	@$(BIN)/uv pip compile --quiet --universal --no-header --no-annotate --python-version 3.11 --all-extras pyproject.toml \
		| grep -E '^[a-z0-9]' > constraints.new && mv constraints.new constraints.txt
	@$(BIN)/pyproject2conda yaml --extra notebooks --extra test --python-include infer --name auditkit --channel conda-forge --no-header \
		--overwrite force --output environment.yml

clean:
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/users: pyproject.toml constraints.txt | .venv/uv
	@echo "Installing auditkit into .venv …"
	@$(call install,.[notebooks])
	@touch $@

.venv/developers: pyproject.toml constraints.txt | .venv/uv
	@echo "Installing auditkit and what its tests need into .venv …"
	@$(call install,.[notebooks$(,)test])
	@touch $@ .venv/users

.venv/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "auditkit needs Python 3.11 or newer; set PYTHON=…")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check uv
	@touch $@
