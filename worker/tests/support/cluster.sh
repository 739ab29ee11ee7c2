#!/bin/sh
# Starts a throw-away cluster of PostgreSQL, says "ready", and stops it at the end of standard input.
# $1 is the directory of PostgreSQL's programs, $2 the port, $3 further options of the server.
set -eu
# A test process that dies while the cluster starts leaves a pipe without a reader; a shell that a signal ends skips its
# EXIT trap.
trap '' PIPE
trap 'exit 1' HUP INT TERM
dir=$(mktemp -d)
trap '"$1"/pg_ctl -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT
"$1"/initdb -D "$dir/data" -U baton -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
"$1"/pg_ctl -D "$dir/data" -l "$dir/log" -w -t 60 -o "$3 -k $dir -h 127.0.0.1 -p $2" start >/dev/null 2>&1 \
    || { cat "$dir/log" >&2; exit 1; }
echo ready
cat >/dev/null
