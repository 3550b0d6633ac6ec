# Two commands a person needs; everything else is for developers.
#   make run    environment, dependencies, the pages on http://127.0.0.1:8501      (another port: make run PORT=8600)
#   make test   environment, dependencies, a browser, every test
#   make lint   ruff, its format check, mypy over coach/
#   make gpu-pins   whether requirements-gpu.txt resolves
#   make gpu-check  on a machine with an NVIDIA GPU: proves that path and measures it, about two hours
#
# What is installed is remembered by a stamp named after the requirements' content, so a second start runs no pip. A stamp is set
# only after pip has succeeded: whatever breaks off half way is taken up again by the next call.
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Where a build of torch without CUDA (about 200 MB instead of 5 GB) is had on Linux; empty: take what pip's own index has.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
ifndef PYTHON
PYTHON := $(shell for found in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$found -c '$(IS_NEW_ENOUGH)' 2>/dev/null && echo $$found && break; done)
endif
HAS_GPU := $(shell nvidia-smi -L >/dev/null 2>&1 && echo yes)
WANTED := $(if $(HAS_GPU),requirements-gpu.txt,requirements.txt)
SUM := $(shell cat requirements.txt requirements-gpu.txt requirements-dev.txt | cksum | cut -d ' ' -f 1)
READY := $(VENV)/.ready-$(if $(HAS_GPU),gpu,cpu)-$(SUM)
READY_DEV := $(VENV)/.ready-dev-$(SUM)
BROWSER_PACKAGES := chromium fonts-noto-cjk

.PHONY: run test lint format gpu-pins gpu-check browser clean

run: $(READY)
	$(BIN)/python -m streamlit run app.py --server.port $(PORT)

test: $(READY_DEV) browser
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(READY_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY_DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Shows that Unsloth and everything else resolve together; installs nothing.
gpu-pins: $(READY_DEV)
	$(PIP) install --dry-run --quiet --report - -r requirements-gpu.txt > /dev/null && echo "requirements-gpu.txt resolves"

# Needs no model hub and writes bench/gpu/gpu_check.{json,md}; arguments: make gpu-check ARGS="--models Qwen/Qwen3-0.6B".
gpu-check: $(READY)
	$(BIN)/python bench/gpu_check.py $(ARGS)

# The pip that comes with an environment prints much; what it is doing for minutes is worth seeing once.
$(READY): $(BIN)/activate
	@$(check-environment)
	@echo "Installing $(WANTED) into $(VENV): minutes the first time, seconds from then on."
	@$(torch-for-cpu)
	$(PIP) install -r $(WANTED)
	@rm -f $(VENV)/.ready-cpu-* $(VENV)/.ready-gpu-*
	@touch $@

$(READY_DEV): $(BIN)/activate
	@$(check-environment)
	@$(torch-for-cpu)
	$(PIP) install --quiet -r requirements-dev.txt
	@rm -f $(VENV)/.ready-dev*
	@touch $@

# An environment somebody made by other means may be too old, or without pip.
define check-environment
if ! $(BIN)/python -c '$(IS_NEW_ENOUGH)'; then \
	echo "$(VENV) holds $$($(BIN)/python --version 2>&1). Needed: Python 3.11 or newer. Remove it (make clean), then again."; exit 1; \
fi; \
$(BIN)/python -m pip --version > /dev/null 2>&1 || $(BIN)/python -m ensurepip --default-pip
endef

# On Linux without a GPU: torch from the CPU index first, so that pip finds its pin satisfied. Unreachable is no failure.
define torch-for-cpu
if [ "$$(uname -s)" = Linux ] && [ -z "$(HAS_GPU)" ] && [ -n "$(TORCH_INDEX)" ] && ! $(PIP) show --quiet torch 2>/dev/null; then \
	$(PIP) install -qq --no-deps --retries 1 --timeout 15 --index-url $(TORCH_INDEX) "$$(grep '^torch==' requirements.txt)" \
	|| echo "$(TORCH_INDEX) cannot be reached: torch comes from pip's own index, on Linux about 5 GB unless a CPU wheel is at hand."; \
fi
endef

# An environment with a pip that works. A half-made one (Debian without python3-venv leaves such) is not left behind.
$(BIN)/activate:
	@if [ -z "$(PYTHON)" ] || ! $(PYTHON) -c '$(IS_NEW_ENOUGH)'; then \
		echo "Found: $$($(or $(PYTHON),python3) --version 2>&1). Needed: Python 3.11 or newer."; \
		echo "Install one, then name it: make run PYTHON=/path/to/python3.12"; exit 1; \
	fi
	@$(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip --version > /dev/null || { rm -rf $(VENV); \
		echo "$(PYTHON) could not make an environment. On Debian or Ubuntu: sudo apt-get install python3-venv, then again."; exit 1; }

# The browser tests drive a real Chromium, and pictures of Chinese pages need a Chinese font. CHROMIUM names another executable.
browser:
	@chromium="$${CHROMIUM:-$$(command -v chromium || command -v chromium-browser)}"; \
	has_font() { ! command -v apt-get > /dev/null || fc-list :lang=zh-tw 2>/dev/null | grep -q .; }; \
	if [ ! -x "$$chromium" ] || ! has_font; then \
		if command -v apt-get > /dev/null && [ "$$(id -u)" = 0 ]; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(BROWSER_PACKAGES) > /dev/null; \
		else \
			echo "The browser tests need Chromium and a Chinese font. Type this once, then make test again:"; \
			echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends $(BROWSER_PACKAGES)"; \
			echo "Elsewhere than on Debian or Ubuntu: install Chromium and set CHROMIUM to its executable."; exit 1; \
		fi; \
	fi

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
