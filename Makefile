# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# One verb each. What they do is in scripts/.

.PHONY: help setup build dev demo test lint fmt docs bench weights fuzz-pallet zombienet test-network dist

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: ## Install what this machine lacks, and nothing else
	scripts/setup.sh

build: ## Build the node and the agents with the profile of everyday work
	scripts/build.sh

dev: build ## Run a development chain of one validator, keeping nothing
	scripts/dev.sh

test: setup ## Pass all tests
	scripts/test.sh

lint: ## Formatting, clippy, documentation links, shell scripts
	scripts/lint.sh

fmt: ## Format the code
	cargo fmt --all

docs: ## Build the documentation of all crates
	scripts/docs.sh
