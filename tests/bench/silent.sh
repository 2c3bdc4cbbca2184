#!/usr/bin/env bash
# silent.sh DIRECTORY: takes metrics and log out of the mint whose source is there, to measure what they cost. Never in a clone you keep.
set -euo pipefail
cd "$1/crates/server/src"

# silence FILE SIGNATURE: lets a function that returns nothing return at once; fails if it is not there.
silence() {
    grep -qF "$2" "$1" || { echo "silent: $1 has no '$2' any more" >&2 && exit 1; }
    awk -v signature="$2" '
        { print }
        index($0, signature) { within = 1 }
        within && /\{$/ { print "    if std::hint::black_box(true) { return; }"; within = 0 }
    ' "$1" >"$1.silent"
    mv "$1.silent" "$1"
}

silence metric.rs 'pub fn add(&self'
silence metric.rs 'pub(crate) fn refuse(&self'
silence metric.rs 'pub(crate) fn observe_commit(&self'
silence metric.rs 'pub(crate) fn observe(&self'
silence log.rs 'pub fn write(level'
