#!/usr/bin/env bash
# Coverage-guided fuzzing of every parser, one minute each: tests/soak/fuzz.sh [SECONDS] [TARGET…]
# What it finds stands in fuzz/artifacts. What widens the coverage is kept beside the build, where the
# next run goes on from it; what is worth replaying in every test is copied to fuzz/corpus by hand.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-60}
[ $# -gt 0 ] && shift

missing() {
	echo "fuzz: $1" >&2
	exit 1
}
command -v cargo-fuzz >/dev/null ||
	missing "cargo-fuzz is missing: cargo install cargo-fuzz"
# libFuzzer needs -Z options: a nightly compiler, which nothing else here does.
cargo +nightly --version >/dev/null 2>&1 ||
	missing "a nightly compiler is missing: rustup toolchain install nightly --profile minimal"
command -v c++ >/dev/null || command -v clang++ >/dev/null ||
	missing "a C++ compiler is missing (libFuzzer is built): apt-get install g++"

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
	for file in fuzz/fuzz_targets/*.rs; do
		targets+=("$(basename "$file" .rs)")
	done
fi

failed=()
for target in "${targets[@]}"; do
	printf '\n== %s, %s s\n' "$target" "$seconds"
	grown=${CARGO_TARGET_DIR:-fuzz/target}/corpus/$target
	mkdir -p "$grown"
	# The longest message the server takes is 64 kB; longer ones are refused before they are read.
	cargo +nightly fuzz run "$target" "$grown" "fuzz/corpus/$target" -- \
		-max_total_time="$seconds" -max_len=66000 -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 ||
		failed+=("$target")
done
if [ ${#failed[@]} -gt 0 ]; then
	echo "fuzz: failed: ${failed[*]} (see fuzz/artifacts)" >&2
	exit 1
fi
echo "fuzz: ${#targets[@]} targets, $seconds s each: nothing found"
