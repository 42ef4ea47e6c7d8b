#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# db_bench.sh <tree> <librockpress_rocksdb.so> <db_bench> <librocksdb.so>: stock db_bench takes the
# adapter from an options file, with the library preloaded, or with nothing loaded if its RocksDB was
# built with ROCKSDB_PLUGINS=rockpress. It has no flag for it: with --compression_manager it knows its own
# managers only, unless it was patched (db_bench_patches/).
set -euo pipefail
tree=$1 adapter=$2 db_bench=$3
LD_LIBRARY_PATH=$(dirname "$4")
# shellcheck source=scripts/lib_rocksdb.sh
. "$tree/scripts/lib_rocksdb.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_PRELOAD "${!ROCKPRESS_@}"

fail()
{
    printf 'FAILED: %s\n' "$*"
    tail -n 5 "$work/log"
    exit 1
}

# bench <preload> <argument...>
bench()
{
    local preload=$1
    shift
    rm -f "$work/stats"
    env LD_LIBRARY_PATH="$LD_LIBRARY_PATH" LD_PRELOAD="$preload" ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device ROCKPRESS_BATCH=off \
        ROCKPRESS_STATS="$work/stats" \
        "$db_bench" --num=20000 --value_size=200 --seed=1 --db="$work/db" "$@" >"$work/log" 2>&1
}

direct_blocks()
{
    local direct
    direct=$(sed -nE 's/^rockpress_blocks_total\{route="direct"\} //p' "$work/stats")
    [ "${direct:-0}" -gt 100 ] || fail "$1: direct blocks: ${direct:-none}"
    printf '%s: %d blocks on the direct route\n' "$1" "$direct"
}

# An options file of this version, with only the manager changed, and the newest format of tables that
# older tools read.
bench '' --benchmarks=fillseq --compression_type=zstd || fail "stock db_bench"
options=$(find "$work/db" -name 'OPTIONS-*' | sort | tail -n 1)
sed -E -e 's/^( *compression_manager)=.*/\1=rockpress/' -e 's/^( *format_version)=.*/\1=5/' \
    "$options" >"$work/options"
grep -q '^ *compression_manager=rockpress' "$work/options" || fail "no compression_manager in $options"

workload=('--benchmarks=fillrandom,compact,readrandom' --options_file="$work/options")
# RocksDB ignores a manager that it does not know.
preload=''
if bench '' "${workload[@]}" && [ -e "$work/stats" ]; then
    direct_blocks "RocksDB with rockpress inside, options file"
else
    preload=$adapter
    bench "$preload" "${workload[@]}" || fail "with the options file"
    direct_blocks "preloaded, options file"
fi
# Read by db_bench without rockpress, and by the tools that are installed.
bench '' --benchmarks=readseq --use_existing_db=1 --compression_type=zstd || fail "reading without rockpress"
if command -v sst_dump >/dev/null; then
    check_tables "$work/db" || fail "the sst_dump that is installed"
    printf '%d tables, %d blocks read by the sst_dump that is installed\n' "$tables_n" "$tables_blocks"
fi

if bench "$preload" --benchmarks=fillrandom,compact --compression_type=zstd \
    --compression_manager=rockpress; then
    direct_blocks "patched, --compression_manager"
    if bench "$preload" --benchmarks=fillrandom --compression_type=zstd --compression_manager=rokpress; then
        fail "patched, and takes --compression_manager=rokpress"
    fi
    grep -q -- '--compression_manager=rokpress: not none, mixed' "$work/log" ||
        fail "patched, and does not say what is wrong with --compression_manager=rokpress"
else
    grep -q 'Requested compression manager not supported' "$work/log" || fail "--compression_manager"
    printf 'not patched: --compression_manager=rockpress is refused\n'
fi
