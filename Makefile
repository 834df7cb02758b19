# What one does with Jackfield. `make help` lists it.

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help demo run test check interop bench soak mutants fuzz deny prompts clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: ## Build, start a node with a sample company, and watch a phone provision itself
	$(CARGO) build --profile quick --locked --package jackfield-node
	$(TARGET)/quick/jackfield demo

run: ## Build and start a server to keep (its data is in ./data)
	$(CARGO) build --profile quick --locked --package jackfield-node
	$(TARGET)/quick/jackfield serve --data data

test: ## Everything that must hold before a change lands
	./tests/run.sh

bench: ## Measure, beside the peers (installs them from Debian when they are missing)
	./tests/bench/run.sh

soak: ## Long and heavy checks: millions of mutated messages, floods, kills (SOAK="--only kills": a part)
	./tests/soak/run.sh $(SOAK)

mutants: ## Break the product in small ways and see what no test notices (SINCE=COMMIT, CRATES=, COUNT=, SEED=)
	./tests/mutants/run.sh $(if $(SINCE),--since "$(SINCE)") $(if $(CRATES),--crates "$(CRATES)") \
		$(if $(COUNT),--count "$(COUNT)") $(if $(SEED),--seed "$(SEED)")

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
