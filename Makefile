# Everything here is also one plain cargo command, once `make setup` has run.

PREFIX ?= $(HOME)/.local
ARGS ?=
MINUTES ?= 28
FUZZ_SECONDS ?= 10
TARGET = $(or $(CARGO_TARGET_DIR),target)
PYTHON ?= python3
LIBTORCH_TOOL = $(PYTHON) tools/libtorch.py

PYTHON_ENV = .venv-python
PYTHON_PINS = torch==2.13.0 torchvision==0.28.0 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6 safetensors==0.8.0 pillow==13.0.0
# The mark is made last and named after the pins: an environment that was interrupted, or has others, is made again.
PYTHON_READY = $(PYTHON_ENV)/ready-$(subst $() ,-,$(subst ==,-,$(PYTHON_PINS)))

.DEFAULT_GOAL := help
.PHONY: help setup build run test test-python fuzz torture judge bench bench-parts bench-quality bench-dashboard data-samples demo lint audit man wheel dist install uninstall clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo 'With ARGS="…" `run` and `test` pass options on; CUDA=1 or CUDA=0 chooses the libtorch: docs/SETUP.md'

setup: ## check the tools that are needed, make libtorch ready
	@command -v cargo >/dev/null || { echo 'error: no cargo: install Rust with rustup (https://rustup.rs)' >&2; exit 1; }
	@set -- $${CXX:-c++}; command -v "$$1" >/dev/null || { echo "error: no C++ compiler $$1: install one (Debian: apt install g++; macOS: xcode-select --install) or set CXX" >&2; exit 1; }
	@command -v $(PYTHON) >/dev/null || { echo 'error: no $(PYTHON): install Python 3.8 or later with pip (Debian: apt install python3-pip)' >&2; exit 1; }
	@test -d '$(TARGET)' || df -Pk . | awk 'NR == 2 && $$4 < 3000000 { print "error: 3 GB of disk needed to build here, " int($$4 / 1000) " MB free: make room" > "/dev/stderr"; exit 1 }'
	@$(LIBTORCH_TOOL)

build: setup ## build both programs (the first time takes minutes)
	cargo build

run: build ## train: a dashboard in a terminal, else 90 seconds of plain lines and then 16 samples
	@if [ -t 0 ] && [ -t 1 ]; then \
	    exec '$(TARGET)/debug/sparring' train $(ARGS); \
	else \
	    '$(TARGET)/debug/sparring' train --headless --minutes 1.5 $(ARGS) && '$(TARGET)/debug/sparring' sample -n 16; \
	fi

test: setup ## run every test (needs no PyTorch)
	cargo test --workspace $(ARGS)

fuzz: setup ## throw mutated examples at every reader, FUZZ_SECONDS=10 at each (corpus: fuzz/corpus)
	SPARRING_FUZZ_SECONDS=$(FUZZ_SECONDS) cargo test --workspace --no-fail-fast fuzz:: -- --nocapture --test-threads 2

torture: build ## break the programs in every way and say what held (30 minutes on two cores; MINUTES=600 goes on; ARGS=--list)
	@[ -n '$(ARGS)' ] || $(MAKE) fuzz
	cargo test --workspace --test torture -- --minutes $(MINUTES) $(ARGS)

test-python: build ## hold results against PyTorch (downloads 2.5 GB once, or give TEST_PYTHON=a python that has it)
	$(TEST_PYTHON) tests/python/run.py $(ARGS)

ifndef TEST_PYTHON
TEST_PYTHON = $(PYTHON_ENV)/bin/python
test-python: $(PYTHON_READY)
endif

bench: build ## measure a training step beside PyTorch and JAX (long, on a quiet machine; ARGS=--quick is shorter)
	$(PYTHON) benches/step.py --python '$(BENCH_PYTHON)' $(ARGS)

bench-parts: setup ## measure each operation of a step alone
	cargo bench --profile dev -p sparring-engine --bench parts $(ARGS)

bench-quality: build ## measure the seconds until digits are good, beside the tutorial in Python (an hour, on a quiet machine)
	$(PYTHON) benches/quality.py --python '$(BENCH_PYTHON)' $(ARGS)

ifndef BENCH_PYTHON
BENCH_PYTHON = $(PYTHON_ENV)/bin/python
bench bench-quality: $(PYTHON_READY)
endif

$(PYTHON_READY):
	rm -rf $(PYTHON_ENV)
	$(PYTHON) -m venv $(PYTHON_ENV) || { echo 'error: $(PYTHON) cannot make environments: install its venv module (Debian: apt install python3-venv)' >&2; exit 1; }
	$(PYTHON_ENV)/bin/pip install $(PYTHON_PINS)
	touch $@

judge: setup ## train both judges anew into engine/assets (some minutes; then build again)
	cargo run -p sparring-engine --example train_judge -- 1 engine/assets/judge.safetensors
	cargo run -p sparring-engine --example train_judge -- 2 engine/assets/judge-second.safetensors

bench-dashboard: build ## measure the dashboard through a real PTY (some minutes, on a quiet machine)
	$(PYTHON) benches/dashboard.py $(ARGS)

data-samples: ## fetch small real data sets into data-samples/ (100 MB; needs apt-get, npm, pip; ARGS="emoji" fetches one)
	$(PYTHON) tools/data_samples.py $(ARGS)

demo: build ## film demo.gif (needs a virtual display and a minute: tools/demo.py says what)
	$(PYTHON) tools/demo.py $(ARGS)

lint: setup ## formatting, clippy, documentation: no warning passes
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --workspace --test torture -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps

audit: ## check the licences, sources and advisories of all dependencies (fetches cargo-deny once; advisories need github.com)
	@command -v cargo-deny >/dev/null || cargo install --locked --quiet cargo-deny --version '^0.20'
	cargo deny --workspace check licenses bans sources
	@if cargo deny fetch db 2>/dev/null; then cargo deny --workspace check advisories; \
	else echo 'advisories not checked: their database on github.com cannot be reached'; fi

man: build ## write the manual pages to target/man
	rm -rf '$(TARGET)/man'
	'$(TARGET)/debug/sparring' manual '$(TARGET)/man'

wheel: build man ## pack a wheel that uses the libtorch of PyTorch, into target/packages
	$(PYTHON) tools/package.py wheel $(ARGS)

dist: build man ## pack a tarball with libtorch for CPUs, for any Linux, into target/packages
	$(PYTHON) tools/package.py dist $(ARGS)

install: build man ## copy programs, manual and libtorch to PREFIX (default ~/.local)
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/lib' '$(DESTDIR)$(PREFIX)/share/man/man1'
	install -m 644 '$(TARGET)'/man/*.1 '$(DESTDIR)$(PREFIX)/share/man/man1'
	install -m 755 '$(TARGET)/debug/sparring' '$(TARGET)/debug/sparring-worker' '$(DESTDIR)$(PREFIX)/bin'
	$(LIBTORCH_TOOL) --copy-to '$(DESTDIR)$(PREFIX)/lib/sparring'
	@case ":$$PATH:" in *:'$(PREFIX)/bin':*) ;; *) echo 'note: $(PREFIX)/bin is not in your PATH' ;; esac

uninstall: ## remove what install copied
	rm -f '$(DESTDIR)$(PREFIX)/bin/sparring' '$(DESTDIR)$(PREFIX)/bin/sparring-worker'
	rm -f '$(DESTDIR)$(PREFIX)/share/man/man1/sparring.1' '$(DESTDIR)$(PREFIX)'/share/man/man1/sparring-*.1
	rm -rf '$(DESTDIR)$(PREFIX)/lib/sparring'

clean: ## remove what cargo built
	cargo clean

distclean: clean ## remove libtorch and the Python environment too
	rm -rf .libtorch $(PYTHON_ENV)
