#!/usr/bin/env bash
# Whether a mint that is full of years of payments works as one that is new: swaps a second on a store with millions
# of spent proofs against an empty one, turn by turn; memory; disk.
#
# Ratios within one run only, so it may run on any machine that is left alone meanwhile.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/bench/common.sh"
millions=20 rounds=3 connections=64 swaps=20000 data=$root/.tacit/growth
least_ratio=0.80 most_megabytes=500 most_bytes=160

usage() {
    cat <<TEXT
usage: tests/bench/growth.sh [OPTIONS]

  --millions N     spent proofs, and as many signed outputs, to fill the one store with (default $millions)
  --rounds N       pairs of runs (default $rounds)
  --swaps N        swaps of each run (default $swaps)
  --connections N  connections of the load generator (default $connections)
  --data DIR       where both keep their stores and the results (default .tacit/growth); it needs 100 MB a million

Fails unless the full store's median rate is at least $least_ratio of the empty one's, the mint stays below $most_megabytes MB of memory,
a proof takes at most $most_bytes bytes on disk (input and output together), and the books of the full store hold.
TACITD=PATH and TACIT=PATH use those binaries in place of a release build.
TEXT
}

main() {
    while [ $# -gt 0 ]; do
        case $1 in
            --millions) millions=${2:?--millions needs a number} && shift 2 ;;
            --rounds) rounds=${2:?--rounds needs a number} && shift 2 ;;
            --swaps) swaps=${2:?--swaps needs a number} && shift 2 ;;
            --connections) connections=${2:?--connections needs a number} && shift 2 ;;
            --data) data=${2:?--data needs a directory} && shift 2 ;;
            -h | --help) usage && return ;;
            *) die "unknown option '$1'; --help lists them" 2 ;;
        esac
    done
    need_tacit
    (cd "$root" && cargo build --locked --release -p tacit-store --example fill)
    mkdir -p "$data"
    data=$(cd "$data" && pwd)
    results=$data/results.jsonl
    : >"$results"
    trap stop_mint EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    describe_machine "$data"
    full=$(mktemp -d "$data/full.XXXXXX")
    fill
    grow
    rm -rf "$full"
}

# Fills the vault of a new mint.
fill() {
    settle
    start_tacit "$full"
    stop_mint
    echo "filling a store with $millions million spent proofs and as many signed outputs"
    "$root/target/release/examples/fill" "$full/data/vault.sqlite" "$millions"
    echo "waiting for the filters of its eras, which a mint makes as days end"
    start_tacit "$full"
    while grep -qsx filters "/proc/$mint_pid"/task/*/comm; do
        sleep 1
    done
    stop_mint
}

# Every pair, then the figures. Fails if one of them, or a check, is not as it must be.
grow() {
    local round full_ratios="" memory=0
    passed=0 failed=0
    printf '\n%-5s %10s %8s  %10s %8s %9s  %6s\n' round empty/s 'p99 ms' full/s 'p99 ms' 'memory MB' ratio
    for ((round = 1; round <= rounds; round++)); do
        local empty store=$data/empty
        rm -rf "$store" && mkdir "$store"
        measure "$store" && empty=$report
        measure "$full"
        local of_both
        of_both=$(ratio "$(field swaps_per_second "$report")" "$(field swaps_per_second "$empty")")
        printf '%-5s %10.1f %8.1f  %10.1f %8.1f %9s  %6s\n' "$round" \
            "$(field swaps_per_second "$empty")" "$(field p99 "$empty")" \
            "$(field swaps_per_second "$report")" "$(field p99 "$report")" "$resident" "$of_both"
        full_ratios+="$of_both "
        memory=$((resident > memory ? resident : memory))
        rm -rf "$store"
    done
    echo
    # Two inputs a swap, those of the generator's preparation and checks not counted.
    local bytes proofs=$((millions * 1000000 + 2 * rounds * swaps))
    bytes=$(($(stat -c %s "$full/data/vault.sqlite") / proofs))
    judge "full store against empty: $(median "$full_ratios") of the rate (at least $least_ratio)" \
        "$(awk -v a="$(median "$full_ratios")" -v b=$least_ratio 'BEGIN { print (a >= b) }')"
    judge "most memory resident: $memory MB (below $most_megabytes)" $((memory < most_megabytes))
    judge "on disk: $bytes bytes a proof, input and output together (at most $most_bytes)" $((bytes <= most_bytes))
    judge "every run passed its own checks" $(($(grep -c '"passed":true' "$results") == 2 * rounds))
    local books status=1
    books=$("$tacitd_binary" verify "$full/data" 2>&1) || status=0
    judge "tacitd verify on the full store: ${books##*$'\n'}" $status
    echo "every run, with its checks: $results"
    echo "growth: $passed passed, $failed failed"
    [ $failed -eq 0 ]
}

# measure STORE: one run; sets `report`, and `resident` to the most memory the mint had, in MB.
measure() {
    settle
    start_tacit "$1"
    load_mint "$1" "$connections" "$swaps"
    resident=$(awk '/^VmHWM:/ { print int($2 / 1024) }' "/proc/$mint_pid/status")
    stop_mint
}

# judge WHAT 0|1: says whether it is as it must be.
judge() {
    if [ "$2" = 1 ]; then
        echo "ok    $1" && passed=$((passed + 1))
    else
        echo "FAIL  $1" && failed=$((failed + 1))
    fi
}

main "$@"
