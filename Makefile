# Build, test and install the tools. Everything that a fresh Debian machine with a Swift toolchain lacks is installed
# by the targets that need it (as root, or through sudo).

SHELL := /bin/bash
PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
BIN := .build/release/kata-log-parser
# The release binary runs where no Swift is installed, and carries no symbols.
RELEASE := -c release --static-swift-stdlib -Xlinker -s

.PHONY: all build debug test test-slow bench fuzz demo install uninstall format lint clean \
	build-dependencies test-dependencies bench-dependencies

all: build

build: build-dependencies
	$(SWIFT) build $(RELEASE) --product kata-log-parser

debug: build-dependencies
	$(SWIFT) build

# The main job on the sample that the repository ships: one sandbox's life, from three sources, as one story.
demo: build
	@echo
	@$(BIN) --output-format yaml examples/sample/*.log

test: test-dependencies build
	$(SWIFT) test --parallel

test-slow: test-dependencies build
	KATA_TEST_SLOW=1 $(SWIFT) test --parallel

bench: bench-dependencies build
	Tests/Benchmarks/run-bench $(BIN)

install: build
	install -D -m 0755 $(BIN) $(DESTDIR)$(PREFIX)/bin/kata-log-parser

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/kata-log-parser

format:
	$(SWIFT) format --in-place --recursive Sources Tests Package.swift

lint:
	$(SWIFT) format lint --strict --recursive Sources Tests Package.swift

clean:
	$(SWIFT) package clean

build-dependencies:
	@.ci/install-packages libsystemd-dev pkg-config

test-dependencies:
	@.ci/install-packages libsystemd-dev pkg-config systemd systemd-journal-remote jq libxml2-utils python3-venv \
	  gzip xz-utils zstd
	@.ci/make-venv .build/venv tomli PyYAML jsonschema

bench-dependencies: test-dependencies
	@.ci/install-packages miller time
