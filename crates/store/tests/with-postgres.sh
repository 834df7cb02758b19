#!/bin/sh
# Starts a PostgreSQL server of its own in a temporary folder, runs a command with its address in
# JACKFIELD_TEST_POSTGRES, and stops it: tests/with-postgres.sh cargo nextest run -p jackfield-store
# The server listens on the loopback address only. It does not run as root; who is root lends it
# the user nobody, or postgres where there is one.
set -eu

bin=${JACKFIELD_POSTGRES_BIN:-}
for folder in /usr/lib/postgresql/*/bin /usr/local/pgsql/bin; do
    if [ -z "$bin" ] && [ -x "$folder/initdb" ]; then bin=$folder; fi
done
if [ -z "$bin" ] && command -v initdb >/dev/null; then bin=$(dirname "$(command -v initdb)"); fi
if [ -z "$bin" ]; then
    echo "with-postgres: no PostgreSQL here; apt-get install postgresql" >&2
    exit 1
fi

home=$(mktemp -d "${TMPDIR:-/tmp}/jackfield-postgres.XXXXXX")
user=
if [ "$(id -u)" = 0 ]; then
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
    chown "$user" "$home"
fi
chmod 700 "$home"

# Runs as the server's user, in its folder.
as_server() {
    if [ -n "$user" ]; then
        (cd "$home" && setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@")
    else
        (cd "$home" && "$@")
    fi
}

server=
finish() {
    if [ -n "$server" ]; then
        as_server "$bin/pg_ctl" -D "$home/data" -m immediate -w stop >/dev/null 2>&1 || true
    fi
    rm -rf "$home"
}
trap finish EXIT
trap 'exit 130' INT TERM

as_server "$bin/initdb" -D "$home/data" -U jackfield -A trust -E UTF8 --locale=C -N >/dev/null

# A port that is free now; another one when somebody is faster.
for attempt in 1 2 3 4 5; do
    port=$((20000 + ($$ * 7 + attempt * 997) % 20000))
    if as_server "$bin/pg_ctl" -D "$home/data" -w -t 30 -l "$home/log" -o "-p $port -k $home \
        -c listen_addresses=127.0.0.1 -c max_connections=200 -c shared_buffers=64MB" start >/dev/null
    then
        server=1
        break
    fi
done
if [ -z "$server" ]; then
    echo "with-postgres: the server does not start:" >&2
    cat "$home/log" >&2
    exit 1
fi

JACKFIELD_TEST_POSTGRES="postgres://jackfield@127.0.0.1:$port/postgres"
export JACKFIELD_TEST_POSTGRES
status=0
"$@" || status=$?
exit "$status"
