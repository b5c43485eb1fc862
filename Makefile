# Thin: the work is done by tools/. Variables given to make reach it: PG, PG_CONFIG, TESTS, ACCEPT;
# IDS, CYCLES, SEED.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo psql test regress soak install fmt lint bench clean

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

demo: ## See it work on a private server
	@tools/demo

psql: ## The same, then psql on that server
	@tools/demo --psql

test: ## Every test, on private servers (PG=16 or PG_CONFIG=... pick PostgreSQL, TESTS=core a part)
	@tools/test

regress: ## The SQL tests alone (ACCEPT=1 accepts what they print now)
	@tools/regress

soak: ## A billion IDs through 500 crashes and clock steps (IDS=... CYCLES=... SEED=...)
	@tools/soak

install: ## Install into the PostgreSQL of PG_CONFIG, or of the pg_config on the PATH
	@tools/install

fmt: ## Format the code
	cargo fmt --all

lint: ## Clippy on everything, warnings are errors
	@tools/lint

bench: ## Measure it
	@tools/bench

clean: ## Remove what was built and this checkout's private PostgreSQL
	@tools/setup clean
