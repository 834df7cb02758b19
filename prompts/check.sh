#!/bin/sh
# Checks that every language pack is complete and its recordings are usable: check.sh [folder...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export PYTHONDONTWRITEBYTECODE=1
[ $# -gt 0 ] || python3 -m unittest discover --quiet --start-directory "$here/tools" --pattern '*_test.py'
exec python3 "$here/tools/check.py" "$@"
