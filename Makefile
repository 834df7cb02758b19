# What one does with Jackfield. `make help` lists it.

CARGO ?= cargo
PREFIX ?= /usr/local

.PHONY: help demo run test check interop bench soak fuzz deny prompts clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: ## Build, start a node with a sample company, and watch a phone provision itself
	$(CARGO) build --release --locked --package jackfield-node
	./target/release/jackfield demo

run: ## Build and start a server to keep (its data is in ./data)
	$(CARGO) build --release --locked --package jackfield-node
	./target/release/jackfield serve --data data

test: ## Everything that must hold before a change lands
	./tests/run.sh

bench: ## Measure, beside the peers (installs them from Debian when they are missing)
	./tests/bench/run.sh

soak: ## Long and heavy checks: millions of mutated messages, floods, kills
	./tests/soak/run.sh

fuzz: ## Coverage-guided fuzzing of every parser, one minute each (needs cargo-fuzz and nightly)
	./tests/soak/fuzz.sh

deny: ## Licences, sources and advisories by cargo-deny
	cargo deny check

prompts: ## Check the spoken prompts
	./prompts/check.sh

clean: ## Remove what was built
	$(CARGO) clean
