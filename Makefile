# The project's commands. Each works on a new machine with make, a C linker and Rust.

.PHONY: help demo model test stories lint bench pack
.DEFAULT_GOAL := help

# Where scripts/install-lint-tools puts what the machine lacks.
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' Makefile

demo: ## watch the charm deployed, struck and scaled, on this machine
	scripts/install-servers
	scripts/build-static
	cargo build --locked --package testbed --bins
	cargo run --quiet --locked --package testbed --bin demo -- target/static/dispatch

model: ## a Juju model on this machine, with a shell for its operator
	scripts/install-servers
	cargo build --locked --package testbed --bins
	cargo run --quiet --locked --package testbed

test: ## every test of every package, with real Redis and Sentinel
	scripts/install-servers
	scripts/test --workspace
	scripts/test --test keeper --test stories -- --test-threads 4

stories: ## the stories alone, with those that take minutes, which `make test` leaves out
	scripts/install-servers
	cargo test --locked --features long-stories --test stories -- --test-threads 4

lint: ## format, clippy, documentation, and what the binary is made of
	scripts/install-lint-tools
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked
	cargo deny --locked check bans licenses sources

bench: ## measure the charm, into docs/bench.md and docs/bench.json, and the test bed's Pebble
	scripts/install-servers
	scripts/build-static bare-hook
	cargo bench --locked --bench charm -- $(CURDIR)/target/static
	cargo bench --locked --package testbed --bench pebble

pack: ## the charm file for this machine's architecture, packed and checked
	scripts/pack
