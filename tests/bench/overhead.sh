#!/usr/bin/env bash
# What metrics and log cost a swap: the mint as it is against one without them, turn by turn.
#
#   overhead.sh [--rounds N] [--swaps N] [--connections N] [--data DIR]
#
# TACITD, TACIT and TACITD_SILENT name programs that are there; otherwise they are built. Prints a table and the medians.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/bench/common.sh
. "$root/tests/bench/common.sh"
rounds=5 swaps=20000 connections=64 data=$root/.tacit/bench
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=$2 && shift 2 ;;
        --swaps) swaps=$2 && shift 2 ;;
        --connections) connections=$2 && shift 2 ;;
        --data) data=$2 && shift 2 ;;
        *) die "unknown option '$1'" 2 ;;
    esac
done

# Builds the mint without metrics and log from a copy of the source, beside the one with them.
need_silent() {
    silent_binary=${TACITD_SILENT:-}
    [ -z "$silent_binary" ] || return 0
    local copy
    copy=$(mktemp -d "$data/silent.XXXXXX")
    (cd "$root" && git ls-files -z --cached --others --exclude-standard -- crates Cargo.toml Cargo.lock | xargs -0 cp --parents -t "$copy")
    "$root/tests/bench/silent.sh" "$copy"
    (cd "$copy" && CARGO_TARGET_DIR=$data/silent-build cargo build --locked --release -p tacit-server --bin tacitd)
    silent_binary=$data/silent-build/release/tacitd
    rm -rf "$copy"
}

# one BINARY: sets `rate` and `micros`.
one() {
    local store
    store=$(mktemp -d "$data/run.XXXXXX")
    tacitd_binary=$1
    settle
    start_tacit "$store"
    load_mint "$store" "$connections" "$swaps"
    stop_mint
    rate=$(printf "%.0f" "$(field swaps_per_second "$report")") micros=$(cpu_per_swap "$report")
    rm -rf "$store"
}

mkdir -p "$data"
results=$data/overhead.jsonl
need_tacit
loud_binary=$tacitd_binary
need_silent
trap stop_mint EXIT
describe_machine "$data"
echo
echo "| round | with, swaps/s | µs of processor a swap | without, swaps/s | µs of processor a swap | ratio of rates | ratio of µs |"
echo "|---|---|---|---|---|---|---|"
rate_ratios='' micro_ratios=''
for round in $(seq "$rounds"); do
    # Who goes first changes: whatever warms up or tires the machine is shared.
    if [ $((round % 2)) -eq 1 ]; then
        one "$loud_binary" && with_rate=$rate with_micros=$micros
        one "$silent_binary" && without_rate=$rate without_micros=$micros
    else
        one "$silent_binary" && without_rate=$rate without_micros=$micros
        one "$loud_binary" && with_rate=$rate with_micros=$micros
    fi
    rate_ratio=$(ratio "$with_rate" "$without_rate") micro_ratio=$(ratio "$with_micros" "$without_micros")
    rate_ratios+=" $rate_ratio" micro_ratios+=" $micro_ratio"
    echo "| $round | $with_rate | $with_micros | $without_rate | $without_micros | $rate_ratio | $micro_ratio |"
done
echo
echo "medians: rate $(median "$rate_ratios"), processor $(median "$micro_ratios")"
