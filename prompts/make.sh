#!/bin/sh
# Makes the synthesized recordings of the language packs: make.sh [--readings] [--force] [locale...]
# Run again with the same tools it writes the same bytes.
#
# PROMPTS_VENV names the Python environment to use or create (default: target/prompts-venv).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${PROMPTS_VENV:-$here/../target/prompts-venv}

need() {
    command -v "$1" >/dev/null 2>&1 && return
    echo "make.sh needs:" >&2
    echo "  flite                 speaks English         apt-get install flite" >&2
    echo "  python3 3.11+, venv   runs the scripts       apt-get install python3 python3-venv" >&2
    echo "  pyopenjtalk-plus      speaks Japanese        installed by this script with pip into" >&2
    echo "                                               $venv" >&2
    echo "missing: $1" >&2
    exit 2
}
need flite
need python3

if ! [ -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
fi
# Nothing is downloaded when the pinned versions are already there.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
    --requirement "$here/tools/requirements.txt"
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" "$here/tools/synthesize.py" "$@"
