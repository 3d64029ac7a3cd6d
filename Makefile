# Needs Rust, Node with npm, and make; everything else is installed where it is missing (scripts/install).

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

# The development chain that tests, demo and `make run` start.
export ANVIL ?= $(CURDIR)/node_modules/.bin/anvil

# Most tests wait for a node, a block or a clock: more of them than there are cores go at once.
export RUST_TEST_THREADS ?= 4

# Binaries are named, not packages: then all members are built with the same features of their dependencies,
# and no target builds again what another has built.
server := cargo run --locked --bin wallet-server --

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: tools ## Watch an agent ask, a human approve and a payment arrive, on a chain of its own
	cargo build --locked --bins
	cargo run --locked --quiet --bin demo

.PHONY: run
run: tools ## Start a development server: SQLite, a chain of its own, no settings needed
	$(server) dev

.PHONY: test
test: tools ## Run all tests, with a PostgreSQL of their own (or the one in TEST_DATABASE_URL)
	@scripts/install hardhat
	@scripts/install clients
	@scripts/install python
	scripts/postgres run cargo test --locked --workspace --all-features

# The package of these tests is named: the other test binaries have none of them.
scenarios := scripts/postgres run cargo test --locked --package wallet-server --all-features --test it -- faults::

.PHONY: test-long
test-long: tools ## Run the scenarios of faults that take minutes, and print how long each took
	scripts/scenarios $(scenarios) --ignored --test-threads 2

.PHONY: test-faults
test-faults: tools ## Run every scenario of faults, also the long ones, and print how long each took
	scripts/scenarios $(scenarios) --include-ignored --test-threads 4

.PHONY: check
check: check-arrows check-format check-dependencies check-lints check-openapi ## Everything but the tests

.PHONY: check-arrows
check-arrows: ## Does every part know only the parts it may know?
	scripts/arrows

.PHONY: check-format
check-format: ## Is the code formatted?
	cargo fmt --all --check

.PHONY: check-dependencies
check-dependencies: ## Licences, duplicates, sources and advisories of the dependencies
	scripts/deny

.PHONY: check-lints
check-lints: ## Compiler and clippy warnings are errors
	cargo clippy --locked --workspace --all-targets --all-features -- -D warnings

.PHONY: check-openapi
check-openapi: ## Is openapi.json what the code says?
	@mkdir -p .tools
	$(server) openapi > .tools/openapi.json
	@diff -u openapi.json .tools/openapi.json || { echo 'openapi.json is out of date: run make openapi' >&2; exit 1; }

.PHONY: check-clients
check-clients: tools ## Do client generators take openapi.json without a warning?
	scripts/clients

.PHONY: check-api
check-api: tools ## Does a running server keep what openapi.json promises, whatever it is sent?
	cargo build --locked --bin wallet-server
	scripts/schemathesis

.PHONY: openapi
openapi: ## Write openapi.json from the code
	@mkdir -p .tools
	$(server) openapi > .tools/openapi.json
	mv .tools/openapi.json openapi.json

.PHONY: tools
tools:
	@scripts/install npm

.PHONY: clean
clean: ## Delete what was built and installed here; the data in .data stays
	cargo clean
	rm -rf node_modules .tools
