#!/usr/bin/env bash
# Everything that must hold before a change lands. On Debian, as root, it installs what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

needs() {
	local missing=()
	command -v cc >/dev/null || missing+=(gcc libc6-dev)
	command -v python3 >/dev/null || missing+=(python3)
	command -v sipp >/dev/null || missing+=(sip-tester)
	command -v baresip >/dev/null || missing+=(baresip)
	[ -x /usr/lib/postgresql/15/bin/postgres ] || command -v postgres >/dev/null || missing+=(postgresql)
	[ -e /usr/lib/x86_64-linux-gnu/libbcg729.so.0 ] || missing+=(libbcg729-0)
	[ ${#missing[@]} -eq 0 ] && return
	if [ "$(id -u)" != 0 ]; then
		echo "missing: ${missing[*]} (run 'apt-get install ${missing[*]}')" >&2
		exit 1
	fi
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

step "what is needed"
needs
rustup component list --installed 2>/dev/null | grep -q clippy || rustup component add clippy rustfmt

step "form"
cargo fmt --all --check

step "lints"
cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

step "tests"
# The embedded database here; PostgreSQL below.
if cargo nextest --version >/dev/null 2>&1; then
	cargo nextest run --profile all --workspace --locked --no-fail-fast
else
	# Without nextest nothing tells which tests passed: claims of proofs are believed below.
	echo "cargo-nextest is missing (cargo install --locked cargo-nextest): going on without"
	cargo test --workspace --locked --no-fail-fast
fi

step "the store on PostgreSQL"
crates/store/tests/with-postgres.sh cargo test --package jackfield-store --locked

step "prompts"
prompts/check.sh

step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

step "tidiness"
cargo xtask tidy

step "with real clients"
cargo build --package jackfield-node --locked
python3 tests/interop/run.py --binary "${CARGO_TARGET_DIR:-target}/debug/jackfield" \
	--results target/interop/junit.xml

step "requirements"
if cargo nextest --version >/dev/null 2>&1; then
	cargo xtask requirements --open
else
	cargo xtask requirements --open --without-results
fi

step "the demo"
"${CARGO_TARGET_DIR:-target}/debug/jackfield" demo

step "all passed"
