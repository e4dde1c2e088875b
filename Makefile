# Tandem. `make help` lists the targets.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
MANDIR ?= $(PREFIX)/share/man
SANITIZER ?= address
BIN := .build/release
PROGRAMS := tandem tandemd tandem-worker tandem-load tandem-sim
SCHEMAS := common mesh tlibrary control stat handover
COMPLETIONS := bash-completion/completions zsh/site-functions fish/vendor_completions.d
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
BUILD_PACKAGES := libyaml-dev libprotobuf-c-dev libssl-dev libsqlite3-dev pkg-config
RUN_PACKAGES := sipsak
BENCH_PACKAGES := python3-yaml kamailio kamailio-sqlite-modules runit s6 supervisor gcc libc6-dev
TEST_PACKAGES := protobuf-c-compiler protobuf-compiler python3-protobuf sip-tester baresip-core iproute2 nftables procps util-linux python3-jsonschema python3-yaml \
	man-db openssl

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

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

.PHONY: deps
deps: ## install the Debian packages that building, running and testing need
	$(call install,$(BUILD_PACKAGES) $(RUN_PACKAGES) $(TEST_PACKAGES))

.PHONY: build
build: ## build everything, optimized, into .build/release
	$(call install,$(BUILD_PACKAGES))
	$(SWIFT) build -c release

.PHONY: run
run: ## build what it runs, and bring clusters/two-datacenters.yaml up in the foreground
	$(call install,$(BUILD_PACKAGES) $(RUN_PACKAGES))
	$(SWIFT) build -c release --product tandem-worker
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

# Each program says what it can do, so the pages are never behind. The date is that of the last commit.
.PHONY: man
man: build ## make the manual pages in .build/man
	@mkdir -p .build/man
	@date=$$(git log -1 --format=%cs 2>/dev/null || date -u +%F); for program in $(PROGRAMS); do \
		$(BIN)/$$program --experimental-dump-help | \
			$(BIN)/tandem manual --date $$date $(PROGRAMS) >.build/man/$$program.1 || exit 1; done

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

.PHONY: install
install: man ## install programs, pages, completions, unit and an example topology below DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)/etc/tandem/clusters $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 755 $(PROGRAMS:%=$(BIN)/%) $(DESTDIR)$(PREFIX)/bin
	install -d $(DESTDIR)$(MANDIR)/man1
	install -m 644 $(PROGRAMS:%=.build/man/%.1) $(DESTDIR)$(MANDIR)/man1
	install -d $(COMPLETIONS:%=$(DESTDIR)$(PREFIX)/share/%)
	$(BIN)/tandem completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/tandem
	$(BIN)/tandem completion zsh >$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_tandem
	$(BIN)/tandem completion fish >$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/tandem.fish
	sed 's|/usr/local|$(PREFIX)|' systemd/tandemd.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/tandemd.service
	install -d $(DESTDIR)$(PREFIX)/share/tandem
	install -m 644 schemas/topology.schema.json $(DESTDIR)$(PREFIX)/share/tandem
	[ -e $(DESTDIR)/etc/tandem/clusters/cluster.yaml ] || \
		sed 's|\.\./schemas/|$(PREFIX)/share/tandem/|' clusters/single-node.yaml \
			>$(DESTDIR)/etc/tandem/clusters/cluster.yaml

.PHONY: clean
clean: ## remove everything that was built
	rm -rf .build .build-sanitize .build-fuzz
