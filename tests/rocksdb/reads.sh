#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# reads.sh <tree> <hook>: a compressed secondary cache with zstd. The threads that read have libzstd
# compress its entries, with a device and without ROCKPRESS_READS=device; what they read is right.
set -euo pipefail
tree=$1 hook=$2
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
need db_bench

bench=(db_bench --num=50000 --seed=7 --compression_type=zstd --compression_ratio=0.5 --block_size=4096
    --db="$work/db")
stock "${bench[@]}" "--benchmarks=fillrandom,compact" >"$work/log" 2>&1 || fail "$(tail -n 3 "$work/log")"
bench+=(--benchmarks=readrandom --use_existing_db --reads=5000 --threads=2 --cache_size=1048576
    --use_compressed_secondary_cache --compressed_secondary_cache_size=33554432
    --compressed_secondary_cache_compression_type=zstd)

# found <log>: how many of the keys were found
found()
{
    grep -a '^readrandom' "$1" | sed -n 's/.*(\([0-9]* of [0-9]*\) found).*/\1/p'
}

stock "${bench[@]}" >"$work/stock.log" 2>&1 || fail "$(tail -n 3 "$work/stock.log")"
hooked host "${bench[@]}" >"$work/log"
[ -n "$(found "$work/stock.log")" ] || fail "nothing was read: $(tail -n 3 "$work/stock.log")"
[ "$(found "$work/log")" = "$(found "$work/stock.log")" ] || fail "found $(found "$work/log")"
expect_no_faults
expect_counter fallbacks_total read -gt 500
# Four of each thread until it is known, and the block of db_bench's own at its start.
expect_counter blocks_total direct -le 9
printf 'cpu %s, direct %s blocks\n' "$(counter blocks_total cpu)" "$(counter blocks_total direct)"

export ROCKPRESS_READS=device
hooked host "${bench[@]}" >"$work/log"
[ "$(found "$work/log")" = "$(found "$work/stock.log")" ] || fail "found $(found "$work/log")"
expect_no_faults
expect_counter fallbacks_total read -eq 0
expect_counter blocks_total direct -gt 500
printf 'ROCKPRESS_READS=device: cpu %s, direct %s blocks\n' "$(counter blocks_total cpu)" \
    "$(counter blocks_total direct)"
