# Two commands a person needs; everything else is for developers.
#   make test   environment, dependencies, every test
#   make lint   ruff, its format check, mypy over coach/
#   make gpu-pins   whether requirements-gpu.txt resolves
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready-dev

.PHONY: test lint format gpu-pins clean

test: $(READY)
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Shows that Unsloth and everything else resolve together; installs nothing.
gpu-pins: $(READY)
	$(BIN)/python -m pip install --dry-run --quiet --report - -r requirements-gpu.txt > /dev/null && echo "requirements-gpu.txt resolves"

$(READY): requirements.txt requirements-dev.txt
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), f"Python 3.11 or newer is needed, found {sys.version.split()[0]}"'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
