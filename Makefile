# Tandem. `make help` lists the targets.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
BUILD := .build/release
SCHEMAS := common mesh tlibrary control
PACKAGES := libyaml-dev libprotobuf-c-dev protobuf-c-compiler libsqlite3-dev pkg-config \
	sip-tester sipsak iproute2 nftables

.PHONY: help
help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: generate
generate: ## regenerate Sources/CTandemProto from schemas/
	cd schemas && protoc-c --c_out=../Sources/CTandemProto $(SCHEMAS:%=%.proto)
	mv Sources/CTandemProto/*.pb-c.h Sources/CTandemProto/include/
