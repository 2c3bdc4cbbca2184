#!/usr/bin/env bash
# Measures tacitd against cdk-mintd on this machine: the same load generator, the same disk, turn by turn.
#
# Both keep everything in SQLite in WAL mode with `synchronous=FULL`, both start with an empty store each time, and
# neither logs anything but warnings. Two runs that stand next to each other in time make a pair, and only the
# ratio within a pair is worth much: on a shared machine the rates themselves move.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/bench/common.sh"
cdk_mintd_version=0.18.3
rounds=3 connections="16 64" cdk_swaps=4000 tacit_swaps=20000 at_least=0 data=$root/.tacit/compare

usage() {
    cat <<TEXT
usage: tests/bench/compare.sh [OPTIONS]

  --rounds N          pairs of runs for each number of connections (default $rounds)
  --connections LIST  numbers of connections (default "$connections")
  --cdk-swaps N       swaps of each run against cdk-mintd (default $cdk_swaps)
  --tacit-swaps N     swaps of each run against tacitd (default $tacit_swaps, for runs of like length)
  --data DIR          where both keep their stores and the results (default .tacit/compare)
  --at-least RATIO    fail if the median ratio is below this for any number of connections

CDK_MINTD=PATH uses that cdk-mintd; without it, version $cdk_mintd_version is built into .tacit/tools (about 15 minutes on
two cores, once). TACITD=PATH and TACIT=PATH use those binaries in place of a release build.
TEXT
}

main() {
    while [ $# -gt 0 ]; do
        case $1 in
            --rounds) rounds=${2:?--rounds needs a number} && shift 2 ;;
            --connections) connections=${2:?--connections needs a list} && shift 2 ;;
            --cdk-swaps) cdk_swaps=${2:?--cdk-swaps needs a number} && shift 2 ;;
            --tacit-swaps) tacit_swaps=${2:?--tacit-swaps needs a number} && shift 2 ;;
            --data) data=${2:?--data needs a directory} && shift 2 ;;
            --at-least) at_least=${2:?--at-least needs a ratio} && shift 2 ;;
            -h | --help) usage && return ;;
            *) die "unknown option '$1'; --help lists them" 2 ;;
        esac
    done
    need_binaries
    mkdir -p "$data"
    data=$(cd "$data" && pwd)
    results=$data/results.jsonl
    : >"$results"
    trap stop_mint EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    describe_machine "$data"
    echo "versions  $("$cdk_binary" --version), $("$tacitd_binary" --version), $("$tacit_binary" --version)"
    compare
}

# Every pair, then the medians: rates, and the processor time the mint took for a swap. Fails if a check failed or a median is too low.
compare() {
    local round count cdk tacit failed=no
    declare -A ratios cdk_rates tacit_rates
    printf '\n%-5s %5s  %11s %8s %8s  %11s %8s %8s  %6s  %s\n' \
        round conns cdk-mintd/s 'p99 ms' 'us/swap' tacitd/s 'p99 ms' 'us/swap' ratio load
    for ((round = 1; round <= rounds; round++)); do
        for count in $connections; do
            local load
            load=$(cut -d ' ' -f 1 /proc/loadavg)
            measure cdk "$count" "$cdk_swaps" && cdk=$report
            measure tacit "$count" "$tacit_swaps" && tacit=$report
            local cdk_rate tacit_rate ratio
            cdk_rate=$(field swaps_per_second "$cdk") tacit_rate=$(field swaps_per_second "$tacit")
            [ -n "$cdk_rate" ] && [ -n "$tacit_rate" ] || die "a run gave no result; see $data"
            ratio=$(ratio "$tacit_rate" "$cdk_rate")
            printf '%-5s %5s  %11.1f %8.1f %8.0f  %11.1f %8.1f %8.0f  %6s  %s\n' "$round" "$count" \
                "$cdk_rate" "$(field p99 "$cdk")" "$(cpu_per_swap "$cdk")" \
                "$tacit_rate" "$(field p99 "$tacit")" "$(cpu_per_swap "$tacit")" "$ratio" "$load"
            ratios[$count]+="$ratio " cdk_rates[$count]+="$cdk_rate " tacit_rates[$count]+="$tacit_rate "
            for run in "$cdk" "$tacit"; do
                [[ $run == *'"passed":true'* ]] || { failed=yes && echo "  a check failed: $run"; }
            done
        done
    done
    echo
    for count in $connections; do
        local middle
        middle=$(median "${ratios[$count]}")
        printf 'median at %s connections: cdk-mintd %.0f swaps/s, tacitd %.0f swaps/s, ratio %s\n' "$count" \
            "$(median "${cdk_rates[$count]}")" "$(median "${tacit_rates[$count]}")" "$middle"
        awk -v a="$middle" -v b="$at_least" 'BEGIN { exit !(a >= b) }' ||
            { failed=yes && echo "  that is below $at_least"; }
    done
    echo "every run, with its checks: $results"
    [ $failed = no ]
}

# measure cdk|tacit CONNECTIONS SWAPS: one run against a fresh mint; sets `report` to its JSON.
measure() {
    local kind=$1 count=$2 swaps=$3 store
    store=$(mktemp -d "$data/$kind.XXXXXX")
    settle
    "start_$kind" "$store"
    load_mint "$store" "$count" "$swaps"
    stop_mint
    rm -rf "$store"
}

start_cdk() {
    local store=$1
    export CDK_MINTD_MNEMONIC="abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
    cat >"$store/config.toml" <<TOML
[info]
url = "http://127.0.0.1:$port/"
listen_host = "127.0.0.1"
listen_port = $port
mnemonic = "env:CDK_MINTD_MNEMONIC"
input_fee_ppk = 0

[info.logging]
output = "stderr"
console_level = "warn"

[database]
engine = "sqlite"

[payment_backend]
backend = "fakewallet"
unit = "sat"
min_mint = 1
max_mint = 500000
min_melt = 1
max_melt = 500000

[fake_wallet]
fee_percent = 0.0
reserve_fee_min = 0
custom_payment_methods = []
min_delay_time = 1
max_delay_time = 1
TOML
    "$cdk_binary" --work-dir "$store" config init --new-mint --file "$store/config.toml" >>"$store/log" 2>&1 ||
        die "cdk-mintd does not take its configuration: $(tail -n 3 "$store/log")"
    "$cdk_binary" --work-dir "$store" </dev/null >>"$store/log" 2>&1 &
    mint_pid=$! url=http://127.0.0.1:$port
    wait_for_mint "$store"
}

# ------------------------------------------------------------------------------------------- tools

need_binaries() {
    cdk_binary=${CDK_MINTD:-$root/.tacit/tools/bin/cdk-mintd}
    if [ -z "${CDK_MINTD:-}" ] && [ ! -x "$cdk_binary" ]; then
        echo "--- building cdk-mintd $cdk_mintd_version into .tacit/tools (about 15 minutes on two cores)"
        # Without its gRPC parts, which the comparison does not use and which need protoc.
        CARGO_TARGET_DIR=$root/.tacit/tools/build cargo install cdk-mintd --version "$cdk_mintd_version" --locked \
            --no-default-features --features fakewallet,sqlite --root "$root/.tacit/tools"
        rm -rf "$root/.tacit/tools/build"
    fi
    need_tacit
    [ -x "$cdk_binary" ] || die "there is no program $cdk_binary"
}

main "$@"
