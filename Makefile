# Build, test and install the tools. Everything that a fresh Debian machine with a Swift toolchain lacks is installed
# by the targets that need it (as root, or through sudo).

SHELL := /bin/bash
PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
CLANG ?= $(dir $(realpath $(shell command -v $(SWIFT))))clang
BIN := .build/release/kata-log-parser
# The release binary runs where no Swift is installed and carries no symbols. It starts in a millisecond or two because
# libsystemd is loaded only when the journal is read, and the C++ library under Swift's runtime is part of it: the folder
# before all others holds that library's static form alone.
STATIC := .build/static
RELEASE := -c release --static-swift-stdlib -Xswiftc -use-ld=lld -Xlinker -s -Xlinker --no-export-dynamic -Xlinker --gc-sections \
	-Xlinker --as-needed -Xlinker -L$(CURDIR)/$(STATIC)
# The 23,000 addresses that loading must adjust take one page instead of 135, where the C library knows that form.
ifneq ($(shell grep -l GLIBC_ABI_DT_RELR $$(ldd /bin/true | grep -o '/[^ ]*libc.so.6')),)
RELEASE += -Xlinker -z -Xlinker pack-relative-relocs
endif

.PHONY: all build debug test test-slow bench fuzz demo install uninstall format lint clean \
	build-dependencies test-dependencies bench-dependencies

all: build

build: build-dependencies $(STATIC)
	$(SWIFT) build $(RELEASE) --product kata-log-parser

$(STATIC):
	mkdir -p $@
	for library in libstdc++.a libgcc_eh.a; do \
	  path=$$($(CLANG) -print-file-name=$$library); [ -f "$$path" ] && ln -sf "$$path" $@/$$library; done; true

debug: build-dependencies
	$(SWIFT) build

# The main job on the sample that the repository ships: one sandbox's start, from two files, as one story.
demo: build
	@echo
	@$(BIN) --output-format pretty examples/sample/shim.log examples/sample/containerd.log
	@echo
	@echo "Two files of different shapes, merged by time, the guest agent's records taken out of the console lines."
	@echo "The same as data:  $(BIN) --output-format json examples/sample/*.log"

test: test-dependencies build
	$(SWIFT) test --parallel

test-slow: test-dependencies build
	KATA_TEST_SLOW=1 $(SWIFT) test --parallel

# Mutated inputs of every format for as long as FUZZ_SECONDS says; a release build does some 10,000 a second.
FUZZ_SECONDS ?= 120
fuzz: build-dependencies
	KATA_FUZZ_SECONDS=$(FUZZ_SECONDS) $(SWIFT) test -c release --scratch-path .build/fuzz -Xswiftc -enable-testing --filter Fuzz

bench: bench-dependencies build
	Tests/Benchmarks/run-bench $(BIN)

# What the binary says about itself, where each reader of it looks.
SHARE := $(DESTDIR)$(PREFIX)/share
MAN := $(SHARE)/man/man1/kata-log-parser.1
COMPLETE_BASH := $(SHARE)/bash-completion/completions/kata-log-parser
COMPLETE_ZSH := $(SHARE)/zsh/site-functions/_kata-log-parser
COMPLETE_FISH := $(SHARE)/fish/vendor_completions.d/kata-log-parser.fish

install: build
	install -D -m 0755 $(BIN) $(DESTDIR)$(PREFIX)/bin/kata-log-parser
	install -d $(dir $(MAN)) $(dir $(COMPLETE_BASH)) $(dir $(COMPLETE_ZSH)) $(dir $(COMPLETE_FISH))
	$(BIN) --generate man >$(MAN)
	$(BIN) --generate complete-bash >$(COMPLETE_BASH)
	$(BIN) --generate complete-zsh >$(COMPLETE_ZSH)
	$(BIN) --generate complete-fish >$(COMPLETE_FISH)
	chmod 0644 $(MAN) $(COMPLETE_BASH) $(COMPLETE_ZSH) $(COMPLETE_FISH)

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/kata-log-parser $(MAN) $(COMPLETE_BASH) $(COMPLETE_ZSH) $(COMPLETE_FISH)

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
	  gzip xz-utils zstd bsdutils util-linux
	@.ci/make-venv .build/venv tomli PyYAML jsonschema

bench-dependencies: test-dependencies
	@.ci/install-packages miller time
