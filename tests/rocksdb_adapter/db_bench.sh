#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# db_bench.sh <librockpress_rocksdb.so> <db_bench> <librocksdb.so>: stock db_bench takes the adapter
# from an options file, with the library preloaded. It has no flag for it: with --compression_manager it
# knows its own managers only, unless it was patched (db_bench_patches/).
set -euo pipefail
adapter=$1 db_bench=$2
LD_LIBRARY_PATH=$(dirname "$3")
export LD_LIBRARY_PATH
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
    env LD_PRELOAD="$preload" ROCKPRESS_DEVICE=host ROCKPRESS_STATS="$work/stats" \
        "$db_bench" --num=20000 --value_size=200 --seed=1 --db="$work/db" "$@" >"$work/log" 2>&1
}

# An options file of this version, with only the manager changed.
bench '' --benchmarks=fillseq --compression_type=zstd || fail "stock db_bench"
options=$(find "$work/db" -name 'OPTIONS-*' | sort | tail -n 1)
sed -E 's/^( *compression_manager)=.*/\1=rockpress/' "$options" >"$work/options"
grep -q '^ *compression_manager=rockpress' "$work/options" || fail "no compression_manager in $options"

bench "$adapter" --benchmarks=fillrandom,compact,readrandom --options_file="$work/options" ||
    fail "with the options file"
direct=$(sed -nE 's/^rockpress_blocks_total\{route="direct"\} //p' "$work/stats")
[ "${direct:-0}" -gt 100 ] || fail "direct blocks: ${direct:-none}"
# Read by db_bench without rockpress.
bench '' --benchmarks=readseq --use_existing_db=1 --compression_type=zstd || fail "reading without rockpress"
printf 'options file: %d blocks on the direct route\n' "$direct"

rm -f "$work/stats"
if bench "$adapter" --benchmarks=fillrandom,compact --compression_type=zstd \
    --compression_manager=rockpress; then
    direct=$(sed -nE 's/^rockpress_blocks_total\{route="direct"\} //p' "$work/stats")
    [ "${direct:-0}" -gt 100 ] || fail "--compression_manager: direct blocks: ${direct:-none}"
    printf 'patched, --compression_manager: %d blocks on the direct route\n' "$direct"
else
    grep -q 'Requested compression manager not supported' "$work/log" || fail "--compression_manager"
    printf 'not patched: --compression_manager=rockpress is refused\n'
fi
