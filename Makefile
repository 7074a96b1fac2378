# make test is all that must pass before a change goes in; CONTRIBUTING.md has the rest.
.DEFAULT_GOAL := test
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

GOLANGCI_LINT_VERSION := v2.15.0
GOLANGCI_LINT := bin/golangci-lint-$(GOLANGCI_LINT_VERSION)
GOVULNCHECK_VERSION := v1.9.0
GOVULNCHECK := bin/govulncheck-$(GOVULNCHECK_VERSION)
VULNDB_VERSION := v0.0.0-20261105234957-e22db6528018
NFPM_VERSION := v2.45.2
NFPM := bin/nfpm-$(NFPM_VERSION)
CYCLONEDX_VERSION := v1.10.0
CYCLONEDX := bin/cyclonedx-gomod-$(CYCLONEDX_VERSION)
HELM_VERSION := v3.22.0
HELM := bin/helm-$(HELM_VERSION)
KUBECONFORM_VERSION := v0.8.0
KUBECONFORM := bin/kubeconform-$(KUBECONFORM_VERSION)
KUBERNETES_VERSION := v1.36.3
NPM_TOOLS := tools/node_modules/.package-lock.json
NPM_GENERATORS := tools/generators/node_modules/.package-lock.json
NPM_WEB := web/node_modules/.package-lock.json
NPM_REACT := web/react/node_modules/.package-lock.json
NPM_SVELTE := web/svelte/node_modules/.package-lock.json
NPM_LEDGER := internal/ledger/peers/node_modules/.package-lock.json
CANARY := bin/canary
FUZZTIME ?= 2m
LISTEN ?= 127.0.0.1:8080
NODES ?= 2
SERVER ?= prosody
LEASE ?= 15s
PACKAGES ?= ./...
# Build tags of the twins of tlsbuffer/trim.go and readiness/poller.go in xmppconn/internal, as other
# releases of Go and other systems build them.
PLAIN_TWINS := perch_plain_tls,perch_blocking_reads

.PHONY: test packages format format-javascript vet lint descriptions generators javascript types build unit fuzz bench soak run cluster generate cover clean mutants vulnerabilities crosstalk ledger ledger-planted ledger-control release release-check deb-check deploy-check manifests matrix upgrade FORCE

# Everything, in the order of what fails fastest.
test: packages format vet build lint unit

# Debian's servers and the foreign clients that the tests run against.
packages:
	@.ci/packages

format:
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; fi

vet:
	go vet $(PACKAGES)
	go vet -tags $(PLAIN_TWINS) ./xmppconn/...
	go vet -tags debian13 ./app/... ./xmppconn/...

build:
	go build $(PACKAGES)

lint: $(GOLANGCI_LINT) descriptions generators javascript
	$(GOLANGCI_LINT) run $(PACKAGES)

# openapi.yaml and asyncapi.yaml as their linters see them, and the first as the types of a
# TypeScript client.
descriptions: export REDOCLY_TELEMETRY = off
descriptions: export REDOCLY_SUPPRESS_UPDATE_NOTICE = true
descriptions: $(NPM_TOOLS)
	@mkdir -p bin
	cd tools && node_modules/.bin/redocly lint --config redocly.yaml ../openapi.yaml
	cd tools && node_modules/.bin/redocly lint --config redocly.yaml ../docs/admin-openapi.yaml
	cd tools && node asyncapi.mjs ../asyncapi.yaml
	cd tools && node_modules/.bin/openapi-typescript ../openapi.yaml -o ../bin/openapi.d.ts
	cd tools && node_modules/.bin/tsc -p tsconfig.json

# The clients that five generators make of them, compiled with a program on each, in bin/generators.
# TestGeneratedClients runs the programs.
generators: bin/generators/made
bin/generators/made: openapi.yaml asyncapi.yaml $(NPM_GENERATORS) $(wildcard tools/generators/*.* $(addprefix tools/generators/,openapi-fetch/* orval/* modelina/* testdata/*/*))
	tools/generators/generate.sh

# Every script but the copied and the generated ones.
JAVASCRIPT := web/eslint.config.js web/perch.js web/perch-sw.js web/slices.js 'web/perch/*.js' 'web/console/*.js' 'web/admin/*.js' 'web/test/*.mjs' \
	web/react/index.js 'web/react/test/*.mjs' web/svelte/index.js 'web/svelte/test/*.mjs' 'docs/examples/**/*.js' \
	'docs/examples/**/*.mjs' 'internal/webhook/testdata/*.mjs' 'tools/*.mjs'
TYPESCRIPT := 'docs/examples/**/*.{ts,tsx}' 'web/testdata/consumer/*.{ts,tsx}'
PRETTIER := web/node_modules/.bin/prettier --config web/.prettierrc.json

# perch.js and the console, by the types that openapi.yaml gives; the layout and the rules of
# every script.
javascript: descriptions $(NPM_WEB)
	@cmp bin/openapi.d.ts web/openapi.d.ts || { echo "run make types"; exit 1; }
	cd web && node_modules/.bin/tsc -p tsconfig.json
	web/node_modules/.bin/eslint --config web/eslint.config.js --max-warnings 0 $(JAVASCRIPT)
	@$(PRETTIER) --check $(JAVASCRIPT) $(TYPESCRIPT) || { echo "run make format-javascript"; exit 1; }

# Lays out every script as make lint wants it.
format-javascript: $(NPM_WEB)
	$(PRETTIER) --write $(JAVASCRIPT) $(TYPESCRIPT)

# The types of perch.js: those of REST from openapi.yaml, its own from its comments.
types: $(NPM_TOOLS) $(NPM_WEB) $(NPM_REACT) $(NPM_SVELTE)
	cd tools && node_modules/.bin/openapi-typescript ../openapi.yaml -o ../web/openapi.d.ts
	npm run --prefix web types
	npm run --prefix web/react types
	npm run --prefix web/svelte types

$(NPM_WEB): web/package.json web/package-lock.json
	npm ci --prefix web --ignore-scripts --no-audit --no-fund
	@touch $@

$(NPM_REACT) $(NPM_SVELTE): web/%/node_modules/.package-lock.json: web/%/package.json web/%/package-lock.json
	npm ci --prefix web/$* --ignore-scripts --no-audit --no-fund
	@touch $@

$(NPM_GENERATORS): tools/generators/package.json tools/generators/package-lock.json
	npm ci --prefix tools/generators --ignore-scripts --no-audit --no-fund
	@touch $@

# npm writes this file when it has installed what package-lock.json names.
$(NPM_TOOLS): tools/package.json tools/package-lock.json
	npm ci --prefix tools --ignore-scripts --no-audit --no-fund
	@touch $@

# Built from source with our own Go, because a linter must be no older than the code.
$(GOLANGCI_LINT):
	@mkdir -p bin
	GOBIN=$(CURDIR)/bin GOFLAGS= go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv bin/golangci-lint $@

# The tests with real servers are in it: there is no other set. What the tests print, log and
# are answered is kept in CANARY, and searched for every secret that they have used.
#
# -count=1, because a result that go test has kept from an earlier run writes no log: there
# would be nothing to search. It would not have met today's servers either. The plain twins then pass
# the same tests as what they stand in for.
unit: $(NPM_LEDGER)
	@rm -rf $(CANARY) && mkdir -p $(CANARY)
	CANARY_DIR=$(CURDIR)/$(CANARY) go test -race -count=1 -timeout 40m -json $(PACKAGES) | go run ./internal/canary/check $(CANARY)
	go test -race -count=1 -tags $(PLAIN_TWINS) ./xmppconn/...

# The foreign clients of the ledger that are no Debian package.
$(NPM_LEDGER): internal/ledger/peers/package.json internal/ledger/peers/package-lock.json
	npm ci --prefix internal/ledger/peers --ignore-scripts --no-audit --no-fund
	@touch $@

# The proof that no message is lost: docs/ledger.md. SEED=0 takes one from the clock.
SEED ?= 0
MESSAGES ?= 20000
FAULTS ?= 60
PLANT ?=
ledger: NODES = 3
ledger: packages bin/ledger-run $(NPM_LEDGER)
	bin/ledger-run -seed=$(SEED) -messages=$(MESSAGES) -faults=$(FAULTS) -server=$(SERVER) -nodes=$(NODES) -plant=$(PLANT)

# Gateways with a mistake built in: each run must end with the exit status 1.
ledger-planted: packages bin/ledger-run $(NPM_LEDGER)
	@for plant in ack archive close dedupe epoch fence parkedbytes readercursor relations roombuffer roomhistory wakeup; do \
		echo "== $$plant"; \
		status=0; bin/ledger-run -seed=$(or $(filter-out 0,$(SEED)),7) -plant=$$plant || status=$$?; \
		[ $$status -eq 1 ] || { echo "the mistake $$plant was not found"; exit 1; }; \
	done

# With the same faults, and without the mistakes, nothing must be found.
ledger-control: packages bin/ledger-run $(NPM_LEDGER)
	@for plant in ack archive close dedupe epoch fence parkedbytes readercursor relations roombuffer roomhistory wakeup; do \
		echo "== without $$plant"; bin/ledger-run -seed=$(or $(filter-out 0,$(SEED)),7) -control=$$plant; \
	done

# The tests with the servers of Debian 12 and 13, and the tables of docs/versions.md; as root.
matrix: bin/ledger-run $(NPM_LEDGER)
	go build -o bin/matrix ./internal/matrix
	@.ci/matrix

bin/ledger-run: FORCE
	@mkdir -p bin
	go build -o $@ ./internal/ledger/cmd

# Every fuzz target of every package, one after the other, FUZZTIME each.
fuzz:
	@for package in $$(go list $(PACKAGES)); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "== $$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

# Prints a table and writes bench/results.json.
bench:
	go run ./bench

# A gateway under bursts of traffic, cuts and sessions that come and go, for a LENGTH of time;
# what grows by more than 1 % an hour in it fails. STORE is memory or redis; LEAK (sockets,
# sessions or memory) is left behind in every cycle, to see that it is found.
LENGTH ?= 10m
STORE ?= memory
LEAK ?=
soak: packages
	@mkdir -p bin
	go build -o bin/bench ./bench
	@exec bin/bench soak -length=$(LENGTH) -store=$(STORE) -leak=$(LEAK)

# The gateway with the embedded service, on 127.0.0.1:8080.
run:
	go run ./cmd/api

# What docker-compose.yml describes, without containers: two gateways over one Redis, an
# XMPP server with alice and bob, and nginx on LISTEN. Ctrl-C ends it all.
cluster: packages
	@go build -o bin/cluster ./internal/cluster/up
	@exec bin/cluster -listen $(LISTEN) -nodes $(NODES) -server $(SERVER) -lease $(LEASE)

# Files that are made from others, such as the API description.
generate:
	go generate $(PACKAGES)

cover: packages
	go test -coverprofile=bin/cover.out -coverpkg=./... $(PACKAGES)
	go tool cover -func=bin/cover.out | tail -1

# One limit changed at a time, to find those that no test holds: internal/mutate/doc.go.
# LIMITS and TESTS are expressions that narrow the run; PACKAGES are folders.
LIMITS ?=
TESTS ?=
mutants:
	go run ./internal/mutate -only '$(LIMITS)' -run '$(TESTS)' $(if $(filter ./...,$(PACKAGES)),./api ./sessions ./xmppconn ./xmppconn/internal/xmlstream ./xmppconn/internal/stanza ./xmppconn/internal/sasl ./cache ./app,$(PACKAGES))

# What the Go vulnerability database of that day knows of what the program calls. The database
# comes as a module, so a proxy for modules is all that is needed, and the answer stays the
# same until the version here is raised.
vulnerabilities: $(GOVULNCHECK)
	@db=$$(cd / && go mod download -json golang.org/x/vulndb@$(VULNDB_VERSION) | sed -n 's/^\t"Dir": "\(.*\)",$$/\1/p'); \
	$(GOVULNCHECK) -db "file://$$db/data/osv" ./cmd/api

$(GOVULNCHECK):
	@mkdir -p bin
	GOBIN=$(CURDIR)/bin GOFLAGS= go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)
	mv bin/govulncheck $@

# What a release is made of, in dist/: docs/releasing.md.
release: $(NFPM) $(CYCLONEDX)
	NFPM=$(NFPM) CYCLONEDX=$(CYCLONEDX) deploy/release.sh

# The release of the commit that is checked out, made twice: the same bytes, and what they hold.
release-check: $(NFPM) $(CYCLONEDX)
	@NFPM=$(CURDIR)/$(NFPM) CYCLONEDX=$(CURDIR)/$(CYCLONEDX) .ci/release

# The package of the tree as it is, in a Debian 12 with systemd; as root.
deb-check: $(NFPM) $(CYCLONEDX)
	@NFPM=$(CURDIR)/$(NFPM) CYCLONEDX=$(CURDIR)/$(CYCLONEDX) .ci/deb

# The chart and the manifests in deploy/, without a cluster.
deploy-check: $(HELM) $(KUBECONFORM)
	@HELM=$(HELM) KUBECONFORM=$(KUBECONFORM) KUBERNETES_VERSION=$(KUBERNETES_VERSION) .ci/deploy

# deploy/kubernetes/perch.yaml again, from the chart.
manifests: $(HELM)
	@{ echo "# Made by make manifests from deploy/helm/perch: change that, or values.yaml. See README.md."; \
	$(HELM) template perch deploy/helm/perch --namespace perch --kube-version $(KUBERNETES_VERSION:v%=%) \
		--values deploy/kubernetes/values.yaml | grep -v '^# Source: '; } >deploy/kubernetes/perch.yaml

# Without what a tool is built from in its bytes: cyclonedx-gomod names itself by their hash.
$(NFPM) $(CYCLONEDX) $(HELM) $(KUBECONFORM):
	@mkdir -p bin
	CGO_ENABLED=0 GOBIN=$(CURDIR)/bin GOFLAGS= go install -trimpath $(TOOL)
	mv bin/$(firstword $(subst @, ,$(notdir $(TOOL)))) $@
$(NFPM): TOOL = github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM_VERSION)
$(CYCLONEDX): TOOL = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX_VERSION)
$(HELM): TOOL = helm.sh/helm/v3/cmd/helm@$(HELM_VERSION)
$(KUBECONFORM): TOOL = github.com/yannh/kubeconform/cmd/kubeconform@$(KUBECONFORM_VERSION)

# From the program of the version before to this one and back, on one Redis and one server: FROM is its
# commit, in place of the source in app/testdata/upgrade. WRITE=1 keeps that source, and what the program has
# stored as a file for TestUpgradeFromFixture: docs/releasing.md.
FROM ?=
WRITE ?=
upgrade: packages
	go test -count=1 -timeout 15m -run '^TestUpgradeAndBack$$' -v ./app -args -upgrade-from='$(if $(FROM),$(shell git rev-parse '$(FROM)^{commit}'))' $(if $(WRITE),-upgrade-write)

# A million reads over a slow Redis, under deadlines: no answer reaches another caller.
crosstalk:
	CROSSTALK_OPERATIONS=1000000 go test -count=1 -timeout 30m -run TestRedisAnswersReachTheirCallers -v ./cache

clean:
	rm -rf bin dist
