# What people do with this repository. `make help` lists it. Every recipe works as root and as an ordinary user.

SHELL := /bin/bash
export PATH := $(CURDIR)/.tools/bin:$(PATH)
# Builds use the committed .sqlx, never a database that happens to be configured.
export SQLX_OFFLINE := true
timed := scripts/timed

.DEFAULT_GOAL := help
.PHONY: help run build test contract faults soak check fmt sqlx needs bench bench-quick bench-counts

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Install what is missing, build, start KeyNest with everything it needs.
	@exec scripts/run

build: ## Build everything for development.
	cargo build --workspace --all-targets

test: ## Run every test against real services that are started for it.
	@scripts/install-needs test
	@set -o pipefail; output=$$(mktemp) && trap 'rm -f "$$output"' EXIT && \
	scripts/with-postgres cargo test --workspace --locked | tee "$$output" && \
	scripts/check-coverage-ran "$$output"

contract: ## Count the cases of the event store's contract that each backend passes.
	@scripts/install-needs test
	@scripts/contract-counts

faults: ## Break a whole installation in every way once (docs/FAULTS.md).
	@scripts/install-needs test
	cargo test --locked -p keynest --test faults -- --nocapture

soak: ## Break a whole installation for an hour: 1,000 kills, 1,000,000 events (docs/FAULTS.md).
	@scripts/install-needs test
	KEYNEST_FAULTS_ACTORS=$${KEYNEST_FAULTS_ACTORS:-32} KEYNEST_FAULTS_KILLS=$${KEYNEST_FAULTS_KILLS:-1000} \
	KEYNEST_FAULTS_ROUNDS=$${KEYNEST_FAULTS_ROUNDS:-1} KEYNEST_FAULTS_EVENTS=$${KEYNEST_FAULTS_EVENTS:-1000000} \
	KEYNEST_FAULTS_BULK=$${KEYNEST_FAULTS_BULK:-500} \
	cargo test --release --locked -p keynest --test faults -- --nocapture

check: needs ## Everything that CI checks.
	@$(timed) format cargo fmt --all --check
	@$(timed) clippy cargo clippy --workspace --all-targets --locked -- -D warnings
	@$(timed) dependencies cargo deny --locked --log-level error check bans licenses sources
	@$(timed) 'licences of rivals' cargo deny --manifest-path bench/rivals/Cargo.toml --config $(CURDIR)/deny.toml --locked --log-level error check licenses sources
	@$(timed) 'unused dependencies' cargo machete
	@$(timed) 'query metadata' scripts/sqlx-metadata --check
	@$(timed) deployment scripts/check-deploy
	@$(timed) tests $(MAKE) --no-print-directory test
	@$(timed) 'counts of the bench' $(MAKE) --no-print-directory bench-counts

needs:
	@$(timed) needs scripts/install-needs check

fmt: ## Format the sources.
	cargo fmt --all

sqlx: ## Write .sqlx again after a query or a migration has changed.
	@scripts/install-needs check
	scripts/sqlx-metadata

bench: ## Measure the optimised build on this machine; some twenty minutes.
	@$(bench)

bench-quick: ## The same with fewer samples, in three minutes.
	@$(bench) --quick

# What does not depend on the machine, by the development build that the tests use (docs/decisions/0124).
bench-counts: ## Count SQL statements and round trips of requests and commands.
	@scripts/install-needs test
	scripts/with-postgres cargo test --quiet --locked --workspace --test it statements::
	@sed -n '/^| request | statements |/,/^$$/p' docs/OPERATIONS.md

# The product and the bench of one build; the product is not built differently for it. What it is compared with has a lock
# file and dependencies of its own. `make bench BENCH_OPTIONS='--page docs/PERFORMANCE.md'` shows the run there.
define bench
scripts/install-needs run && cargo build --quiet --release --locked --bin keynest --bin keynest-bench && \
cargo build --quiet --release --locked --manifest-path bench/rivals/Cargo.toml --target-dir $${CARGO_TARGET_DIR:-target} && \
scripts/with-postgres $${CARGO_TARGET_DIR:-target}/release/keynest-bench $(BENCH_OPTIONS)
endef
