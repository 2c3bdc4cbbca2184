#!/usr/bin/env bash
# Measures tacitd against cdk-mintd with both vaults on PostgreSQL: the same server, the same load generator, turn by turn.
#
# One and two tacitd on one database, and one with a standby that must confirm each commit. Every commit is synced. All of it
# shares this machine: database, standby, mints and load.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tests/bench/common.sh"
rounds=2 connections=64 cdk_swaps=1500 tacit_swaps=8000 at_least=0 data=$root/.tacit/postgres-bench
url='' mint_pid='' port='' report=''

usage() {
    cat <<TEXT
usage: tests/bench/postgres.sh [OPTIONS]

  --rounds N          how often each is measured (default $rounds)
  --connections N     connections of the load, in all (default $connections)
  --cdk-swaps N       swaps of each run against cdk-mintd (default $cdk_swaps)
  --tacit-swaps N     swaps of each run against tacitd (default $tacit_swaps)
  --data DIR          where everything is kept (default .tacit/postgres-bench)
  --at-least RATIO    fail if one tacitd's median is below this many times cdk-mintd's

CDK_MINTD=PATH is a cdk-mintd built with its feature postgres; without it, only tacitd is measured.
TACITD=PATH and TACIT=PATH use those binaries in place of a release build.
TEXT
}

main() {
    while [ $# -gt 0 ]; do
        case $1 in
            --rounds) rounds=${2:?--rounds needs a number} && shift 2 ;;
            --connections) connections=${2:?--connections needs a number} && shift 2 ;;
            --cdk-swaps) cdk_swaps=${2:?--cdk-swaps needs a number} && shift 2 ;;
            --tacit-swaps) tacit_swaps=${2:?--tacit-swaps needs a number} && shift 2 ;;
            --data) data=${2:?--data needs a directory} && shift 2 ;;
            --at-least) at_least=${2:?--at-least needs a ratio} && shift 2 ;;
            -h | --help) usage && return ;;
            *) die "unknown option '$1'; --help lists them" ;;
        esac
    done
    need_tacit
    programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    [ -x "$programs/postgres" ] || die "there is no PostgreSQL in /usr/lib/postgresql"
    # The server refuses to run as root; its packages bring an account for it.
    as=()
    [ "$(id -u)" -ne 0 ] || as=(setpriv --reuid postgres --regid postgres --clear-groups --)
    mkdir -p "$data" && data=$(cd "$data" && pwd)
    rm -rf "$data/leader" "$data/standby"
    results=$data/results.jsonl
    : >"$results"
    trap stop_all EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    describe_machine "$data"
    echo "versions  PostgreSQL $("$programs/postgres" --version | cut -d ' ' -f 3), $("$tacitd_binary" --version)${CDK_MINTD:+, $("$CDK_MINTD" --version)}"
    start_leader
    local round rates
    declare -A rates
    for round in $(seq "$rounds"); do
        for kind in ${CDK_MINTD:+cdk} one two; do
            "run_$kind"
            rates[$kind]+="$rate "
            printf "%-8s round %s: %6.0f swaps/s, p50 %s p99 %s ms\n" "$kind" "$round" "$rate" "$(field p50 "$report")" "$p99"
        done
    done
    start_standby
    for kind in on remote_apply local; do
        sql "ALTER SYSTEM SET synchronous_commit = '$kind'" && sql "SELECT pg_reload_conf()" >/dev/null
        for round in $(seq "$rounds"); do
            run_one
            rates[standby-$kind]+="$rate "
            printf "standby %s round %s: %6.0f swaps/s, p50 %s p99 %s ms\n" "$kind" "$round" "$rate" "$(field p50 "$report")" "$p99"
        done
    done
    for kind in "${!rates[@]}"; do
        printf 'median %-22s %6.0f swaps/s\n' "$kind" "$(median "${rates[$kind]}")"
    done
    if [ -n "${CDK_MINTD:-}" ]; then
        local ours
        ours=$(ratio "$(median "${rates[one]}")" "$(median "${rates[cdk]}")")
        echo "one tacitd is $ours times cdk-mintd"
        awk -v a="$ours" -v b="$at_least" 'BEGIN { exit !(a >= b) }' || die "below $at_least"
    fi
}

# ---------------------------------------------------------------------------------------- databases

start_leader() {
    make_home leader
    "${as[@]}" "$programs/initdb" -D "$data/leader/db" -U tacit -A trust --locale=C --no-instructions >/dev/null
    leader_port=$(free_port)
    run_postgres leader "$leader_port" -c wal_level=replica -c max_connections=200
}

start_standby() {
    make_home standby
    "${as[@]}" "$programs/pg_basebackup" -D "$data/standby/db" -R -h 127.0.0.1 -p "$leader_port" -U tacit -c fast
    sed -i 's/user=tacit/user=tacit application_name=standby/' "$data/standby/db/postgresql.auto.conf"
    standby_port=$(free_port)
    run_postgres standby "$standby_port" -c max_connections=200
    sql "ALTER SYSTEM SET synchronous_standby_names = 'standby'"
    sql "SELECT pg_reload_conf()" >/dev/null
    local deadline=$((SECONDS + 30))
    until [ "$(sql "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")" = 1 ]; do
        [ $SECONDS -lt $deadline ] || die "the standby does not follow"
        sleep 0.2
    done
}

make_home() {
    mkdir -p "$data/$1"
    [ ${#as[@]} -eq 0 ] || chown postgres:postgres "$data/$1"
}

# run_postgres NAME PORT SETTINGS…
run_postgres() {
    local name=$1 port=$2
    shift 2
    (cd "$data/$name" && exec "${as[@]}" "$programs/postgres" -D "$data/$name/db" -p "$port" -k '' \
        -c listen_addresses=127.0.0.1 "$@" >>"$data/$name/log" 2>&1) &
    servers+=($!)
    local deadline=$((SECONDS + 30))
    until "$programs/pg_isready" -q -h 127.0.0.1 -p "$port"; do
        [ $SECONDS -lt $deadline ] || die "PostgreSQL does not start: $(tail -n 3 "$data/$name/log")"
        sleep 0.1
    done
}

sql() {
    "$programs/psql" -XAtq -v ON_ERROR_STOP=1 "postgres://tacit@127.0.0.1:$leader_port/postgres" -c "$1"
}

# fresh_database: makes one; sets `database`.
fresh_database() {
    database=bench_$RANDOM$RANDOM
    sql "CREATE DATABASE $database"
    sql CHECKPOINT
}

# --------------------------------------------------------------------------------------------- runs

# Each sets `rate` and `p99`.

run_cdk() {
    local store
    store=$(mktemp -d "$data/cdk.XXXXXX")
    settle && fresh_database && start_cdk "$store"
    load_mint "$store" "$connections" "$cdk_swaps"
    end_run "$store"
}

run_one() {
    local store
    store=$(mktemp -d "$data/tacit.XXXXXX")
    settle && fresh_database && start_tacit_on "$store"
    load_mint "$store" "$connections" "$tacit_swaps"
    end_run "$store"
}

end_run() {
    rate=$(field swaps_per_second "$report") p99=$(field p99 "$report")
    stop_mint
    rm -rf "$1"
    sql "DROP DATABASE $database WITH (FORCE)"
}

# Two servers with half of the load each, at the same time: their rates add up.
run_two() {
    local one other first_pid first_url status=0
    one=$(mktemp -d "$data/tacit.XXXXXX") other=$(mktemp -d "$data/tacit.XXXXXX")
    settle && fresh_database && start_tacit_on "$one"
    first_pid=$mint_pid first_url=$url
    mkdir -p "$other/data" && cp "$one/data/seed" "$other/data/seed"
    choose_port && start_tacit_on "$other"
    "$tacit_binary" bench swaps --mint "$first_url" --unit sat --swaps $((tacit_swaps / 2)) \
        --connections $((connections / 2)) --json >"$one/report" 2>>"$one/log" &
    local loading=$!
    load_mint "$other" $((connections / 2)) $((tacit_swaps / 2))
    wait $loading || status=$?
    [ $status -eq 0 ] || die "tacit bench ended with status $status: $(tail -n 3 "$one/log")"
    rate=$(awk -v a="$(field swaps_per_second "$report")" -v b="$(field swaps_per_second "$(cat "$one/report")")" 'BEGIN { print a + b }')
    p99=$(field p99 "$report")
    stop_mint
    kill "$first_pid" && { wait "$first_pid" || true; }
    "$tacitd_binary" verify "$one/data" --vault-url "$vault_url" | tail -n 1
    rm -rf "$one" "$other"
    sql "DROP DATABASE $database WITH (FORCE)"
}

# start_tacit_on STORE: a demo server with its vault in `database`.
start_tacit_on() {
    vault_url=postgres://tacit@127.0.0.1:$leader_port/$database
    "$tacitd_binary" serve --demo --data "$1/data" --listen "127.0.0.1:$port" --vault-url "$vault_url" \
        </dev/null >>"$1/log" 2>&1 &
    mint_pid=$! url=http://127.0.0.1:$port/sat
    wait_for_mint "$1"
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
engine = "postgres"

[database.postgres]
url = "env:CDK_MINTD_POSTGRES_URL"
tls_mode = "disable"
max_connections = 20

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
    # It wants the same once more to find its configuration, which it keeps in the database.
    export CDK_MINTD_DATABASE=postgres CDK_MINTD_POSTGRES_TLS_MODE=disable CDK_MINTD_POSTGRES_MAX_CONNECTIONS=20
    export CDK_MINTD_POSTGRES_URL="postgres://tacit@127.0.0.1:$leader_port/$database"
    "$CDK_MINTD" --work-dir "$store" config init --new-mint --file "$store/config.toml" >>"$store/log" 2>&1 ||
        die "cdk-mintd does not take its configuration: $(tail -n 3 "$store/log")"
    "$CDK_MINTD" --work-dir "$store" </dev/null >>"$store/log" 2>&1 &
    mint_pid=$! url=http://127.0.0.1:$port
    wait_for_mint "$store"
}

free_port() {
    choose_port && echo "$port"
}

stop_all() {
    stop_mint
    local server
    for server in "${servers[@]-}"; do
        [ -z "$server" ] || kill -INT "$server" 2>/dev/null || true
    done
    wait
}

servers=()
main "$@"
