# Targets for people who work on the project. "make help" lists them.
#
#   make test RUN=TestName PKG=./node/...    a part of the tests
#   make test REQUIRE=all                    a test that skips is a failure
#   make demo KEEP=1                         the demo stays up

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PKG      ?= ./...
RUN      ?= .
TIMEOUT  ?= 15m
FUZZTIME ?= 10s
COUNT    ?= 6
BENCH    ?= .
ARGS     ?=
TARGETS  ?= linux/amd64 linux/arm64 linux/arm/7 linux/arm/6 darwin/arm64
# The largest that a node's program may be, for the storage and memory of small boards.
MAX_MB   ?= 42
# What -race is worth its time for: the packages with goroutines of their own.
RACE     ?= ./faas/... ./sched/... ./protocol/... ./node/...

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0

VERSION ?= $(shell git describe --tags --dirty 2>/dev/null || echo devel)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
BUILD_BENCH := go build -C examples/bench -o $(CURDIR)/bin/bench .
BUILD   := CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)"

.PHONY: help build demo test race lint cross fuzz bench soak microbench cover proto clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the node and the laboratory, static binaries: bin/p2pfaas-node, bin/p2pfaas-lab
	$(BUILD) -o bin/p2pfaas-node ./cmd/p2pfaas-node
	$(BUILD) -o bin/p2pfaas-lab ./cmd/p2pfaas-lab

demo: build ## three nodes and what the mesh is good for; KEEP=1 leaves them up
	go run ./examples/demo $(if $(KEEP),--keep)

test: ## all tests; what was skipped is listed with the reason
	@P2PFAAS_REQUIRE=$(REQUIRE) go test -v -timeout $(TIMEOUT) -run '$(RUN)' $(PKG) | awk -v require='$(REQUIRE)' -f .ci/test.awk
ifeq ($(PKG),./...)
	@go test -C examples/bench -v -timeout $(TIMEOUT) -run '$(RUN)' ./... | awk -v require='$(REQUIRE)' -f .ci/test.awk
endif

race: ## tests under the race detector (slow to build; needs a C compiler)
	@go test -v -race -short -timeout $(TIMEOUT) -run '$(RUN)' $(RACE) | awk -f .ci/test.awk

lint: ## gofmt, vet, staticcheck
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "run gofmt -w on: $$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	go vet -C examples/bench ./...
	go run -C examples/bench $(STATICCHECK) ./...

cross: ## binaries for all TARGETS: bin/p2pfaas-node-OS-ARCH
	@for target in $(TARGETS); do \
	  IFS=/ read -r os arch arm <<< "$$target"; \
	  out=bin/p2pfaas-node-$$os-$$arch$${arm:+v$$arm}; \
	  GOOS=$$os GOARCH=$$arch GOARM=$$arm $(BUILD) -o $$out ./cmd/p2pfaas-node; \
	  wc -c < $$out | awk -v out=$$out -v most=$(MAX_MB) '{ printf "%-36s %5.1f MB\n", out, $$1 / 1e6; \
	    if ($$1 > most * 1e6) { print out " is larger than " most " MB"; exit 1 } }'; \
	done

fuzz: ## every fuzz target for FUZZTIME
	@grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -r -n1 dirname | sort -u | while read -r dir; do \
	  for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | cut -c6-); do \
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$dir < /dev/null; \
	  done; \
	done

bench: build ## what a call costs against proxies, gRPC, NATS (20 minutes): bin/bench-results; ARGS=-quick
	$(BUILD_BENCH)
	bin/bench -out bin/bench-results $(ARGS)

soak: build ## a million calls through one node, watched for losses and leaks
	$(BUILD_BENCH)
	bin/bench -soak 1000000 -paths sdk -bodies 1KB -at-once 64 -distance 0 $(ARGS)

microbench: ## Go's benchmarks, COUNT times each, for benchstat
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) $(PKG)

cover: ## test coverage by package: bin/cover.out
	@mkdir -p bin
	go test -coverprofile bin/cover.out -timeout $(TIMEOUT) $(PKG)
	@go tool cover -func bin/cover.out | tail -1

proto: ## generate protocol/pb from the .proto files (Debian: protobuf-compiler)
	go build -o bin/protoc-gen-go google.golang.org/protobuf/cmd/protoc-gen-go
	protoc -I protocol/pb --plugin bin/protoc-gen-go --go_out protocol/pb --go_opt paths=source_relative \
	  $$(cd protocol/pb && find . -name '*.proto' -printf '%P ')

clean: ## remove what was built
	rm -rf bin
