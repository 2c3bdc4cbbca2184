# What the measurements of this directory share. To be sourced, after `root` is set; sets `url`, `mint_pid`,
# `report`, `tacitd_binary` and `tacit_binary`, and appends every report to the file `results` names.
# shellcheck shell=bash

# Builds the mint and the load generator, unless TACITD and TACIT name others.
need_tacit() {
    tacitd_binary=${TACITD:-$root/target/release/tacitd}
    tacit_binary=${TACIT:-$root/target/release/tacit}
    if [ -z "${TACITD:-}" ] || [ -z "${TACIT:-}" ]; then
        (cd "$root" && cargo build --locked --release -p tacit-server --bin tacitd -p tacit-cli --bin tacit)
    fi
    local binary
    for binary in "$tacitd_binary" "$tacit_binary"; do
        [ -x "$binary" ] || die "there is no program $binary"
    done
}

# describe_machine DIRECTORY: refuses one in memory.
describe_machine() {
    echo "machine   $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), Linux $(uname -r)"
    echo "disk      $(df --output=fstype,source "$1" | tail -n 1), $1"
    echo "date      $(date --utc +%Y-%m-%d)"
    case $(df --output=fstype "$1" | tail -n 1) in
        tmpfs | ramfs) die "$1 is in memory: nothing there is durable; choose a disk with --data" ;;
    esac
}

# Lets what the run before left in the page cache be written before the next one starts.
settle() {
    sync && sleep 1
    choose_port
}

# start_tacit STORE: a demo server on STORE/data.
start_tacit() {
    "$tacitd_binary" serve --demo --data "$1/data" --listen "127.0.0.1:$port" </dev/null >>"$1/log" 2>&1 &
    mint_pid=$! url=http://127.0.0.1:$port/sat
    wait_for_mint "$1"
}

wait_for_mint() {
    local deadline=$((SECONDS + 30))
    until answers; do
        kill -0 "$mint_pid" 2>/dev/null || die "the mint did not start: $(tail -n 3 "$1/log")"
        [ $SECONDS -lt $deadline ] || die "the mint does not answer after 30 seconds: $(tail -n 3 "$1/log")"
        sleep 0.2
    done
}

# load_mint STORE CONNECTIONS SWAPS: swaps against the mint that runs; sets `report` to the JSON of the run.
load_mint() {
    local status=0
    report=$("$tacit_binary" bench swaps --mint "$url" --unit sat --swaps "$3" \
        --connections "$2" --mint-process "$mint_pid" --json 2>>"$1/log") || status=$?
    [ -n "$report" ] || die "tacit bench ended with status $status: $(tail -n 3 "$1/log")"
    echo "$report" >>"$results"
}

stop_mint() {
    if [ -n "${mint_pid:-}" ]; then
        kill "$mint_pid" 2>/dev/null || true
        wait "$mint_pid" 2>/dev/null || true
        mint_pid=
    fi
}

# field NAME JSON: the number of that name, which occurs once.
field() {
    sed -n 's/.*"'"$1"'":\([0-9.e+-]*\).*/\1/p' <<<"$2"
}

# The middle of some numbers; of an even count, the lower of the two.
median() {
    tr ' ' '\n' <<<"$1" | sed '/^$/d' | sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}

# ratio A B: A / B, with two decimals; 0 if B is.
ratio() {
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }'
}

# cpu_per_swap REPORT: microseconds of processor time the mint took for each swap of a run.
cpu_per_swap() {
    awk -v cpu="$(field mint_cpu_seconds "$1")" -v swaps="$(field signed "$1")" \
        'BEGIN { printf "%.0f", (swaps > 0 ? 1000000 * cpu / swaps : 0) }'
}

answers() {
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

choose_port() {
    port=$((20000 + RANDOM % 12000)) # Below the range the kernel gives to clients.
    while answers; do
        port=$((20000 + RANDOM % 12000))
    done
}

# die MESSAGE [STATUS]
die() {
    printf '%s: %s\n' "$(basename "$0" .sh)" "$1" >&2
    exit "${2:-1}"
}
