# Tandem. `make help` lists the targets.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
MANDIR ?= $(PREFIX)/share/man
DEB_REVISION ?= 1
DEB_DIR ?= .build/deb
SANITIZER ?= address
BIN := .build/release
PROGRAMS := tandem tandemd tandem-worker tandem-workspace tandem-load tandem-sim
# What is installed, and of which programs: by default of those that need no Swift toolchain.
INSTALL_PROGRAMS := tandem tandemd tandem-worker tandem-workspace
STATIC := .build-static
INSTALL_BIN ?= $(STATIC)/release
SCHEMAS := common mesh tlibrary control stat handover
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
BUILD_PACKAGES := libyaml-dev libprotobuf-c-dev libssl-dev libsqlite3-dev pkg-config
RUN_PACKAGES := sipsak
DEB_PACKAGES := dpkg-dev binutils
BENCH_PACKAGES := python3-yaml kamailio kamailio-sqlite-modules runit s6 supervisor gcc libc6-dev
TEST_PACKAGES := protobuf-c-compiler protobuf-compiler python3-protobuf sip-tester baresip-core iproute2 nftables procps util-linux python3-jsonschema python3-yaml \
	chromium chromium-driver fonts-dejavu-core man-db openssl curl systemd systemd-container debootstrap lintian binutils dpkg-dev

MONITORING_PACKAGES := prometheus

# Installs what is missing of a list of Debian packages, and asks nothing when nothing is missing.
define install
	@missing=$$(for package in $(1); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || echo $$package; done); \
	if [ -n "$$missing" ]; then \
		echo "installing:" $$missing; \
		$(SUDO) apt-get update -qq && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi
endef

# Takes promtool out of its package: installed, that would start a server where systemd runs.
define promtool
	@command -v promtool >/dev/null || [ -x .build/promtool ] || { \
		echo "taking promtool out of: $(1)"; rm -rf .build/packages && mkdir -p .build/packages && cd .build/packages && \
		$(SUDO) apt-get update -qq && apt-get download -qq $(1) && \
		dpkg-deb --fsys-tarfile $(1)_*.deb | tar -xO ./usr/bin/promtool >../promtool && chmod +x ../promtool; }
endef

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

.PHONY: deps
deps: ## install the Debian packages that building, running and testing need
	$(call install,$(BUILD_PACKAGES) $(RUN_PACKAGES) $(TEST_PACKAGES))
	$(call promtool,$(MONITORING_PACKAGES))

.PHONY: build
build: ## build everything, optimized, into .build/release
	$(call install,$(BUILD_PACKAGES))
	$(SWIFT) build -c release

.PHONY: run
run: ## build what it runs, and bring clusters/two-datacenters.yaml up in the foreground
	$(call install,$(BUILD_PACKAGES) $(RUN_PACKAGES))
	$(SWIFT) build -c release --product tandem-worker
	$(SWIFT) build -c release --product tandem-workspace
	$(SWIFT) build -c release --product tandemd
	$(SWIFT) build -c release --product tandem
	$(BIN)/tandem up clusters/two-datacenters.yaml

.PHONY: gateway
gateway: ## play the first gateway of clusters/two-datacenters.yaml: telephones that ring for half a second and are answered
	$(call install,sip-tester)
	sipp -sf examples/sipp/answer.xml -aa -s telephone -i 127.0.0.1 -p 5090 127.0.0.1:5071

.PHONY: test
test: deps ## build and run every test
	$(SWIFT) build -c release --build-tests
	$(SWIFT) test -c release --skip-build

.PHONY: test-vm
test-vm: ## boot Debian's kernel in an emulated machine, and look at the limits of workers
	$(call install,$(BUILD_PACKAGES) $(TEST_PACKAGES) qemu-system-x86 cpio)
	$(SWIFT) build -c release
	packaging/relink $(BIN) .build/relinked $(INSTALL_PROGRAMS)
	packaging/test-vm .build/relinked

.PHONY: check
check: lint test replay example ## everything that has to hold before a change lands

.PHONY: example
example: ## build examples/swift as a package of its own: with what the library shows everybody
	$(call install,$(BUILD_PACKAGES))
	$(SWIFT) build --package-path examples/swift --scratch-path .build-example

.PHONY: lint
lint: ## check the format
	$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests Fuzzing examples

.PHONY: format
format: ## format the sources
	$(SWIFT) format --in-place --parallel --recursive Package.swift Sources Tests Fuzzing examples

.PHONY: generate
generate: ## regenerate Sources/CTandemProto from schemas/
	$(call install,protobuf-c-compiler)
	cd schemas && protoc-c --c_out=../Sources/CTandemProto $(SCHEMAS:%=%.proto)
	mv Sources/CTandemProto/*.pb-c.h Sources/CTandemProto/include/

.PHONY: bench
bench: build ## measure, and print the figures
	$(call install,$(BENCH_PACKAGES))
	$(CC) -O2 -o $(BIN)/tandem-echo Benchmarks/echo/echo.c
	$(BIN)/tandem-load bench

.PHONY: soak
soak: build ## run a cluster under load and faults for MINUTES (5), and check that everything adds up
	$(BIN)/tandem-load soak --minutes $${MINUTES:-5}

.PHONY: storm
storm: build ## kill workers and the controller at random under load for MINUTES (5), and check that nothing acknowledged is lost
	$(BIN)/tandem-load soak --storm --minutes $${MINUTES:-5}

.PHONY: simulate
simulate: ## run simulated clusters, seeds 1 to SEEDS (10000), and explore short runs in every order
	$(call install,$(BUILD_PACKAGES))
	$(SWIFT) build -c release --product tandem-sim
	$(BIN)/tandem-sim --seeds 1..$${SEEDS:-10000} --jobs $$(nproc)
	$(BIN)/tandem-sim --exhaustive

# The same trace with and without optimization, and in every process.
.PHONY: replay
replay: ## check that seeds give the same traces in a debug build
	$(SWIFT) build --product tandem-sim
	@$(BIN)/tandem-sim --seeds 1..20 --hash >.build/traces-release
	@.build/debug/tandem-sim --seeds 1..20 --hash >.build/traces-debug
	@cmp .build/traces-release .build/traces-debug && echo "20 seeds give the same traces in debug and release builds"

.PHONY: sanitize
sanitize: deps ## run the tests under a sanitizer: SANITIZER=address (the default) or thread
	$(SWIFT) build --build-tests --sanitize $(SANITIZER) --scratch-path .build-sanitize/$(SANITIZER)
	$(SWIFT) test --skip-build --sanitize $(SANITIZER) --scratch-path .build-sanitize/$(SANITIZER)

.PHONY: man
man: build ## make the manual pages in .build/man
	packaging/manual $(BIN) .build/man $(PROGRAMS)

# libFuzzer keeps what it finds out about each target below .build-fuzz/corpus, and goes on from there next time.
.PHONY: fuzz
fuzz: ## fuzz all that reads hostile bytes, each target for FUZZ_SECONDS (60); FUZZ_TARGETS picks some
	$(call install,$(BUILD_PACKAGES))
	SWIFT=$(SWIFT) Fuzzing/build
	Fuzzing/run $(FUZZ_TARGETS)

.PHONY: fuzz-repeat
fuzz-repeat: ## repeat what the fuzzer found: FILE=.build-fuzz/found/target-crash-…
	$(call install,$(BUILD_PACKAGES))
	SWIFT=$(SWIFT) Fuzzing/build
	Fuzzing/run --repeat $(FILE)

.PHONY: static
static: ## build the programs that are installed with Swift's libraries inside, into .build-static/release
	$(call install,$(BUILD_PACKAGES))
	for program in $(INSTALL_PROGRAMS); do \
		$(SWIFT) build -c release --static-swift-stdlib --scratch-path $(STATIC) --product $$program || exit 1; done

.PHONY: install
install: $(if $(filter $(STATIC)/release,$(INSTALL_BIN)),static) ## install below DESTDIR and PREFIX what INSTALL_BIN has, or is built for it
	DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) MANDIR=$(MANDIR) packaging/install $(INSTALL_BIN) $(INSTALL_PROGRAMS)

.PHONY: deb
deb: $(if $(filter $(STATIC)/release,$(INSTALL_BIN)),static) ## make the Debian package in .build/deb, or DEB_DIR
	$(call install,$(DEB_PACKAGES))
	DEB_REVISION=$(DEB_REVISION) packaging/deb $(INSTALL_BIN) $(DEB_DIR) $(INSTALL_PROGRAMS)

.PHONY: clean
clean: ## remove everything that was built
	rm -rf .build .build-static .build-sanitize .build-fuzz
