#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# options_file.sh <librockpress_rocksdb.so> <ldb> <librocksdb.so> <adapter_workload> <options_reader>: what
# docs/operations.md says of the name "rockpress" in a database's OPTIONS file: who keeps it, who loses it,
# and who notices.
set -euo pipefail
adapter=$1 ldb=$2 workload=$4 reader=$5
LD_LIBRARY_PATH=$(dirname "$3")
export LD_LIBRARY_PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_PRELOAD "${!ROCKPRESS_@}"
if nm -D --defined-only "$3" | grep -qw rockpress_register_plugin; then
    printf 'skipped: this RocksDB has rockpress inside\n'
    exit 77
fi

fail()
{
    printf 'FAILED: %s\n' "$*"
    exit 1
}

in_file()
{
    local file
    file=$(find "$work/db" -name 'OPTIONS-*' | sort | tail -n 1)
    sed -nE 's/^ *compression_manager=(.*)/\1/p' "$file" | sed -n 1p
}

# reads <expected> <preload> <mode>: the two lines of options_reader
reads()
{
    local got
    got=$(LD_PRELOAD=$2 "$reader" "$work/db" "$3" | paste -sd ';') || true
    [ "$got" = "$1" ] || fail "options_reader $3, preloaded '$2': $got"
}

ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device ROCKPRESS_BATCH=off "$workload" write plain "$work/db"
[ "$(in_file)" = rockpress ] || fail "the OPTIONS file has $(in_file)"
reads 'none;none' '' lenient
error='Invalid argument: Could not load CompressionManager: rockpress'
reads "$error;$error" '' strict
reads 'rockpress;rockpress' "$adapter" strict
# What only reads leaves the file as it is, and so does what has the library.
"$ldb" --db="$work/db" scan --max_keys=1 >"$work/log"
LD_PRELOAD=$adapter "$ldb" --db="$work/db" put a b >"$work/log"
[ "$(in_file)" = rockpress ] || fail "lost by a reader, or with the library"
"$ldb" --db="$work/db" put a b >"$work/log"
[ "$(in_file)" = nullptr ] || fail "after a write without the library: $(in_file)"
reads 'none;rockpress' "$adapter" strict
printf 'kept by readers and with the library, lost by a writer without it\n'
