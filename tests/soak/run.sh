#!/usr/bin/env bash
# Long and heavy checks, an hour or more: millions of mutated messages, kills, floods, a database that
# comes and goes. What is given is passed on: tests/soak/run.sh --only kills --kills 1000
# See tests/soak/soak.py --help; JACKFIELD_BINARY uses a binary that is there instead of building one.
set -euo pipefail
cd "$(dirname "$0")/../.."

for tool in python3 sipp; do
	command -v "$tool" >/dev/null || {
		echo "soak: $tool is missing (Debian: apt-get install python3 sip-tester postgresql)" >&2
		exit 1
	}
done

binary=${JACKFIELD_BINARY:-}
if [ -z "$binary" ]; then
	cargo build --release --locked --package jackfield-node
	binary=${CARGO_TARGET_DIR:-target}/release/jackfield
fi

if [ $# -eq 0 ]; then
	printf '\n== the parsers against their corpus and mutations of it\n'
	cargo test --release --locked --package jackfield-sip --package jackfield-media --test fuzz_corpus -- --ignored
fi

printf '\n== the running server\n'
python3 tests/soak/soak.py --binary "$binary" "$@"
