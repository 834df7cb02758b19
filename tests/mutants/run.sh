#!/usr/bin/env bash
# Small breakages of the product, one at a time: how many does a test notice?
#   tests/mutants/run.sh                       40 of each of the crates in which behaviour lives
#   tests/mutants/run.sh --since COMMIT        150 of the lines changed since
# See tests/mutants/mutants.py --help. cargo-mutants says which breakages there are; it is installed
# into a cache when it is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

command -v python3 >/dev/null || {
	[ "$(id -u)" = 0 ] || { echo "mutants: python3 is missing (apt-get install python3)" >&2; exit 1; }
	apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 >/dev/null
}
tools=${XDG_CACHE_HOME:-$HOME/.cache}/jackfield-tools
export PATH="$PATH:$tools/bin"
command -v cargo-mutants >/dev/null ||
	cargo install --locked --quiet --root "$tools" cargo-mutants

exec python3 tests/mutants/mutants.py "$@"
