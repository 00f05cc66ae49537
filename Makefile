SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CACHE    := $(CURDIR)/.cache
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
PKG      ?= ./...
BENCHPKG ?= ./wire/... ./tracker/...
FUZZTIME ?= 20s
BENCH    ?= .

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: help build web run test test-deps chaos chaos-long check bench bench-peers fuzz clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

build: web ## build bin/edgeref, with the pages
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/edgeref .

# The pages are built when their sources, or the API that they speak, have changed. Go alone builds and tests without them.
web: core/web/dist/index.html ## build the pages (needs Node)

APP := core/web/app
core/web/dist/index.html: $(shell find $(APP)/src $(APP)/public -type f ! -name schema.d.ts) $(APP)/index.html $(APP)/package-lock.json $(APP)/vite.config.ts core/api/testdata/openapi.json
	cd $(APP) && npm ci && npm run build

run: build ## build, then run everything in one process with demo data in ./data
	bin/edgeref serve --demo

test-deps: ## install what the tests talk to: MariaDB (apt), ClickHouse's engine (npm)
	test/install-deps.sh

test: test-deps ## run every test against the real parts, with the race detector
	test/run.sh $(PKG)

chaos: test-deps ## break a running system in every way once, and count what is left
	EDGEREF_TEST_REQUIRE=1 go test -count=1 -v -timeout 10m ./test/chaos

chaos-long: test-deps ## the same, with every kind of kill 50 times and edge nodes cut off for minutes; three quarters of an hour
	test/chaos-long.sh 50 bench/results/chaos.json

check: ## format, vet, lint, known vulnerabilities
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(GOLANGCI_LINT) run ./...
	@go run $(GOVULNCHECK) ./... || { code=$$?; [ $$code -eq 3 ] && exit 3; echo "govulncheck: the vulnerability database cannot be reached, skipped"; }

bench: ## run the benchmarks of the hot path (BENCH=regexp, BENCHPKG=packages)
	go test -run '^$$' -bench '$(BENCH)' -benchmem $(BENCHPKG)

bench-peers: build ## measure the redirect beside nginx, bare fasthttp and Apache + PHP + MariaDB
	bench/peers/install.sh
	go build -trimpath -o bin/peers ./bench/peers
	bin/peers --edgeref bin/edgeref $(PEERSFLAGS)

fuzz: ## run every fuzz test for FUZZTIME each
	test/fuzz.sh $(FUZZTIME)

clean: ## remove what was built, not the data
	rm -rf bin
