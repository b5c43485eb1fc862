# Thin: the work is done by tools/. Variables given to make reach it: PG, PG_CONFIG, TESTS, ACCEPT;
# IDS, CYCLES, SEED; FUZZ, MINUTES.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo psql test versions regress soak fuzz install fmt lint bench scenarios alternatives release clean

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

demo: ## See it work on a private server
	@tools/demo

psql: ## The same, then psql on that server
	@tools/demo --psql

test: ## Every test, on private servers (PG=19 or PG_CONFIG=... pick PostgreSQL, TESTS=core a part)
	@tools/test

regress: ## The SQL tests alone (ACCEPT=1 accepts what they print now)
	@tools/regress

versions: ## The tests that need a server, on PostgreSQL 15 to 19 (VERSIONS="17 19" TESTS=regress)
	@tools/versions

soak: ## A billion IDs through 500 crashes, clock steps and slow disks (IDS=... CYCLES=... SEED=...)
	@tools/soak

fuzz: ## Ten minutes of hostile input for each parser of the core (FUZZ=epoch MINUTES=1)
	@tools/fuzz

install: ## Install into the PostgreSQL of PG_CONFIG, or of the pg_config on the PATH
	@tools/install

fmt: ## Format the code
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml

lint: ## Formatting, and clippy on everything; warnings are errors
	@tools/lint

bench: ## Measure it
	@tools/bench

scenarios: ## Run the scenarios of docs/scenarios.md, all of them, and write that page (15 minutes)
	@tools/scenarios --json target/scenarios.json --docs docs

alternatives: ## Only what docs/alternatives.md is about: UUIDs, auto-increment, ticket servers
	@tools/scenarios alternatives --docs docs

release: ## Whether everything that names a version says VERSION=1.0.0, and what to push then
	@tools/release "$(VERSION)"

clean: ## Remove what was built and this checkout's private PostgreSQL
	@tools/setup clean
