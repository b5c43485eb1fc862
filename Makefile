# Thin: the work is done by tools/. Variables given to make reach it: PG, PG_CONFIG, TESTS, ACCEPT;
# IDS, CYCLES, SEED; FUZZ, MINUTES; EXAMPLES.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help all demo psql test versions regress soak fuzz examples install uninstall fmt lint bench scenarios alternatives release clean
.PHONY: deb deb-test image image-test upgrade-test rpm rpm-test dist pgspot

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

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

examples: ## The projects of examples/, one for each client, on private servers (EXAMPLES="psycopg drizzle")
	@tools/examples

all: ## A release build for the PostgreSQL of PG_CONFIG, which `make install` installs
	@tools/install --build

install: ## Install into the PostgreSQL of PG_CONFIG, or of the pg_config on the PATH
	@tools/install

uninstall: ## Remove it from there
	@tools/install --remove

deb: ## A Debian package in target/packages (PG=15 picks the version)
	@tools/package deb

deb-test: ## The same, installed, used, upgraded and purged in a clean Debian
	@tools/test-package deb

image: ## An extension image for CloudNativePG (PG=18)
	@tools/package image

image-test: ## The same, used by a server
	@tools/test-package image

upgrade-test: ## pg_upgrade from FROM=15 with the Debian package to PG=18 with the image
	@tools/test-package upgrade

rpm: ## A package for Red Hat and its relatives (PG=18)
	@tools/package rpm

rpm-test: ## The same, its files used by a server
	@tools/test-package rpm

dist: ## The sources for PGXN
	@tools/package dist

pgspot: ## Look for holes in the SQL of the extension
	@tools/pgspot

fmt: ## Format the code
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml

lint: ## Formatting, and clippy on everything; warnings are errors
	@tools/lint

bench: ## Measure it
	@tools/bench

scenarios: ## Run the scenarios of docs/scenarios.md, all of them, and write that page (18 minutes)
	@tools/scenarios --json target/scenarios.json --docs docs

alternatives: ## Only what docs/alternatives.md is about: UUIDs, auto-increment, ticket servers
	@tools/scenarios alternatives --docs docs

release: ## Whether everything that names a version says VERSION=1.0.0, and what to push then
	@tools/release "$(VERSION)"

clean: ## Remove what was built and this checkout's private PostgreSQL
	@tools/setup clean
