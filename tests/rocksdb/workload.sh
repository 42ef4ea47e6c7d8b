#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# workload.sh <tree> <hook> <hook_workload> <scenario> <device>...: the same workload with stock
# libzstd and, for each device, with the hook preloaded; then RocksDB without the hook reads all.
set -euo pipefail
tree=$1 hook=$2 program=$3 scenario=$4
shift 4
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
need sst_dump ldb

# check_database <folder>: without the hook; sets found to its digest
check_database()
{
    check_tables "$1" || fail "$1"
    check_consistency "$1" || fail "$1"
    found=$(stock "$program" read "$1" "$scenario")
    found+=" $([ "$scenario" = families ] || content_digest "$1")"
}

stock "$program" write "$work/stock" "$scenario"
check_database "$work/stock"
expected=$found
[ "${expected%% *}" -gt 1000 ] || fail "the workload wrote nothing: $expected"

for device in "$@"; do
    rm -rf "$work/db" "$work/db.child"
    hooked "$device" "$program" write "$work/db" "$scenario"
    cp "$work/stats" "$work/stats.kept"
    check_database "$work/db"
    [ "$found" = "$expected" ] || fail "$device: content differs: $found, stock: $expected"
    if [ "$scenario" = fork ]; then
        check_database "$work/db.child"
        [ "$found" = "$expected" ] || fail "$device: the child's content differs: $found"
    fi
    cp "$work/stats.kept" "$work/stats"
    expect_no_faults
    case $device:$scenario in
    host:dictionary | host:raw_dictionary)
        expect_counter fallbacks_total dictionary -gt 100
        ;;
    host:*)
        # All data blocks but those that don't shrink, or are the small last ones of a table.
        expect_counter blocks_total direct -gt 100
        expect_counter fallbacks_total device -eq 0
        expect_counter fallbacks_total parameter -eq 0
        expect_counter blocks_total direct -gt $(($(counter blocks_total cpu) * 5))
        ;;
    off:*)
        expect_counter blocks_total direct -eq 0
        expect_counter blocks_total cpu -gt 100
        ;;
    esac
    expect_counter contexts_recycled_total '' -gt 0
    if [ "$scenario" = blobs ]; then
        # A context for every blob; nearly all are used again.
        expect_counter contexts_recycled_total '' -gt 10000
        expect_counter contexts_created_total '' -lt 100
    fi
    printf '%s %s: %s; direct %s, cpu %s blocks\n' "$scenario" "$device" "${found%% *} keys" \
        "$(counter blocks_total direct)" "$(counter blocks_total cpu)"
done
