# Holdfast. `make` alone says what there is.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  = -s -w -X main.version=$(VERSION)

# Products are static; only the race detector needs C. One build serves every 32-bit Pi.
export GO
export CGO_ENABLED = 0
export GOARM = 6

# The slow tests are a part each: they start real processes, and want the machine for themselves.
END_TO_END = ./test/join ./test/desk ./test/chaos/... ./test/browser ./test/virtualpi ./test/report
FILES      = ./test/crash ./test/damage
ALONE      = TestCommandLatency|TestOutputLatency
UNITS      = $$($(GO) list ./... | grep -v /test/)

# What the benchmarks measured, as scripts/chaos.sh does with what the tests counted: test/report makes the pages of it.
PROOF = $(CURDIR)/out/proof.jsonl

.PHONY: help run gateway receiver build check static unit test packages race long alone files fuzz end-to-end chaos mutants bench cross clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

run: ## a simulated Pi and a receiver on this machine, until Ctrl-C
	@$(GO) run ./cmd/demo

gateway: ## the demo's gateway again, after you killed it
	@$(GO) run ./cmd/demo gateway

receiver: ## the demo's receiver again, after you killed it
	@$(GO) run ./cmd/demo receiver

build: ## bin/gateway and bin/receiver for this machine
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/gateway ./cmd/receiver

check: static unit ## the fast part of the tests: at most 5 minutes

static: # format, vet for this machine and for the Pi, staticcheck, import rules
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "not formatted: $$unformatted"; exit 1; }
	$(GO) vet ./...
	GOOS=linux GOARCH=arm $(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test ./internal/arch

unit:
	$(GO) test -short ./...

test: ## everything CI runs; installs the Debian packages it needs: at most 25 minutes on 2 cores
	@scripts/timed.sh packages $(MAKE) packages
	@scripts/timed.sh static   $(MAKE) static
	@scripts/timed.sh race     $(MAKE) race
	@scripts/timed.sh long     $(MAKE) long
	@scripts/timed.sh alone    $(MAKE) alone
	@scripts/timed.sh files    $(MAKE) files
	@scripts/timed.sh fuzz     $(MAKE) fuzz
	@$(MAKE) end-to-end # last, for go test says itself how long each of these took

packages: # Debian packages that the tests need
	@scripts/install-debian.sh

race: export HOLDFAST_REQUIRE = 1
race: # the fast tests of every package, each on one processor: with more, Go 1.26's race detector crashes where two goroutines
race: # of a bubble run timers at once (go.dev/issue/78156), and which accesses are ordered it sees all the same
	CGO_ENABLED=1 $(GO) test -race -short -cpu 1 -parallel 4 -timeout 15m $(UNITS)

end-to-end: export HOLDFAST_REQUIRE = 1
end-to-end: # killed processes, browser, virtual Pi; one after another
	CGO_ENABLED=1 $(GO) test -v -race -count 1 -p 1 -timeout 15m $(END_TO_END)

long: export HOLDFAST_REQUIRE = 1
long: # all tests of every package, days in bubbles among them, but those that want the machine for themselves
	$(GO) test -timeout 15m -skip '$(ALONE)' $(UNITS)

alone: export HOLDFAST_REQUIRE = 1
alone: # those
	$(GO) test -v -count 1 -timeout 5m -run '$(ALONE)' ./cmd/gateway

files: export HOLDFAST_REQUIRE = 1
files: # 50,000 crash images and 1,000 damaged copies of the buffer's file
	$(GO) test -v -count 1 -p 1 -timeout 10m $(FILES)

fuzz: export HOLDFAST_REQUIRE = 1
fuzz: ## fuzzes every decoder, 30 s each
	@scripts/fuzz.sh 30

chaos: ## tries to break the promise for some hours, and writes docs/reliability.md
	@scripts/chaos.sh

mutants: ## shows that the tests notice variants that are broken on purpose
	@scripts/chaos.sh mutants

bench: ## measures, and writes docs/benchmarks.md: about half an hour
	@mkdir -p out
	HOLDFAST_BENCH=1 HOLDFAST_REQUIRE=1 HOLDFAST_PROOF=$(PROOF) HOLDFAST_COMMIT=$(VERSION) \
		$(GO) test -v -count 1 -p 1 -timeout 2h ./test/bench
	HOLDFAST_PROOF=$(PROOF) HOLDFAST_COMMIT=$(VERSION) $(GO) test -v -count 1 -timeout 5m -run TestOutputLatency ./cmd/gateway
	$(GO) run ./test/report $(PROOF) docs

cross: ## static binaries for linux arm (every 32-bit Pi), arm64 and amd64 in out/
	@scripts/cross.sh '$(LDFLAGS)'

clean: ## removes what make made, but not the demo's data in run/
	rm -rf bin out
