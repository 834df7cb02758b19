#!/usr/bin/env bash
# Measures the server beside its peers. Each line: `<name>: <value> <unit> | <peer>: <value> | ratio <x>`.
# Ends with 1, and a last line that names them, when figures miss the limits of the table in bench.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
missing=()
command -v sipp >/dev/null || missing+=(sip-tester)
command -v kamailio >/dev/null || missing+=(kamailio)
command -v wrk >/dev/null || missing+=(wrk)
command -v pgrep >/dev/null || missing+=(procps)
command -v nginx >/dev/null || missing+=(nginx-light)
if [ ${#missing[@]} -gt 0 ]; then
	apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
cargo build --release --locked --quiet --package jackfield-node
cargo build --release --locked --quiet --package jackfield-media --example bare
exec python3 tests/bench/bench.py --binary "${CARGO_TARGET_DIR:-target}/release/jackfield" "$@"
