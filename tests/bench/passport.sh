#!/usr/bin/env bash
# The passport desk over HTTP beside the same proofs checked in process, turn by turn: the server on one core, the load on another.
#
#   passport.sh [--rounds N] [--requests PERCENT] [--connections LIST] [--server-core N] [--load-core N] [--data DIR]
#
# TACITD names a program that is there; otherwise it is built. Prints a table in Markdown: each run, medians, the fastest of each kind.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/bench/common.sh
. "$root/tests/bench/common.sh"
rounds=5 requests=100 connections="1 8" server_core=0 load_core=1 data=$root/.tacit/bench
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=$2 && shift 2 ;;
        --requests) requests=$2 && shift 2 ;;
        --connections) connections=$2 && shift 2 ;;
        --server-core) server_core=$2 && shift 2 ;;
        --load-core) load_core=$2 && shift 2 ;;
        --data) data=$2 && shift 2 ;;
        *) die "unknown option '$1'" 2 ;;
    esac
done

command -v taskset >/dev/null || die "taskset is missing: it keeps the server on one core (package util-linux)"
tacitd_binary=${TACITD:-$root/target/release/tacitd}
# By itself, so that it is built with nothing that only tests need.
[ -n "${TACITD:-}" ] || (cd "$root" && cargo build --locked --release -p tacit-server --bin tacitd)
(cd "$root" && cargo build --locked --release -p tacit-server --example passport_load)
[ -x "$tacitd_binary" ] || die "there is no program $tacitd_binary"
mkdir -p "$data"
describe_machine "$data"
echo "load      $(cut -d ' ' -f 1-3 /proc/loadavg) before the run"
echo
sync
taskset -c "$load_core" "$root/target/release/examples/passport_load" --rounds "$rounds" --requests "$requests" \
    --connections "$connections" --data "$data" taskset -c "$server_core" "$tacitd_binary"
echo
echo "load      $(cut -d ' ' -f 1-3 /proc/loadavg) after the run"
