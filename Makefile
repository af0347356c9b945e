# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# One verb each. What they do is in scripts/.

.PHONY: help setup build dev demo zombienet test test-network test-docker fuzz-pallet lint fmt bench weights docs dist test-packages test-images

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: ## Install what this machine lacks, and nothing else
	scripts/setup.sh

build: ## Build the node and the agents with the profile of everyday work
	scripts/build.sh

dev: build ## Run a development chain of one validator, keeping nothing
	scripts/dev.sh

demo: setup ## Run a job from submission to payment on this machine, then catch a cheater
	scripts/demo.sh

NETWORK ?= local
zombienet: build ## Run four validators until Ctrl-C: NETWORK=local, market or faults
	scripts/zombienet.sh $(NETWORK)

test: setup ## Pass all tests
	scripts/test.sh

test-docker: ## Pass the tests that need a container engine, starting one if none answers (root)
	scripts/test-docker.sh

test-network: ## Pass the tests on networks of four validators, one of them split in two (root)
	scripts/test-network.sh

fuzz-pallet: ## Ten million random calls to the market, its invariants checked throughout
	scripts/fuzz-pallet.sh

lint: ## Formatting, clippy, documentation links, shell scripts
	scripts/lint.sh

fmt: ## Format the code
	cargo fmt --all

bench: ## Print what networks and simulations cost on this machine
	scripts/bench.sh

weights: ## Measure the weights of the market's calls
	scripts/weights.sh

docs: ## Build the documentation of all crates
	scripts/docs.sh

dist: ## Binaries, Debian packages and checksums, for this machine and for ARM boards
	scripts/dist.sh

test-packages: ## Install, run, update and purge the packages of make dist in a Debian of its own (root)
	scripts/test-packages.sh

test-images: ## Build the container images of what make dist has made, and run a market of them (root)
	scripts/test-images.sh
