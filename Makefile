# What one does with Jackfield. `make help` lists it.

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help demo run test check interop bench soak fuzz deny prompts clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: ## Build, start a node with a sample company, and watch a phone provision itself
	$(CARGO) build --release --locked --package jackfield-node
	$(TARGET)/release/jackfield demo

run: ## Build and start a server to keep (its data is in ./data)
	$(CARGO) build --release --locked --package jackfield-node
	$(TARGET)/release/jackfield serve --data data

test: ## Everything that must hold before a change lands
	./tests/run.sh

bench: ## Measure, beside the peers (installs them from Debian when they are missing)
	./tests/bench/run.sh

soak: ## Long and heavy checks: millions of mutated messages, floods, kills (SOAK="--only kills": a part)
	./tests/soak/run.sh $(SOAK)

fuzz: ## Coverage-guided fuzzing of every parser, one minute each (FUZZ="600 sdp": ten minutes of one)
	./tests/soak/fuzz.sh $(FUZZ)

deny: ## Licences, sources and advisories by cargo-deny
	@command -v cargo-deny >/dev/null || { echo "cargo-deny is missing: cargo install --locked cargo-deny" >&2; exit 1; }
	$(CARGO) deny check --hide-inclusion-graph bans licenses sources
	@# Last, for they are the only ones that need the network: the list of advisories is fetched.
	$(CARGO) deny check advisories

prompts: ## Check the spoken prompts
	./prompts/check.sh

clean: ## Remove what was built
	$(CARGO) clean
