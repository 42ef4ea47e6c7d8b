#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# batch.sh <tree> <hook> <all|some|blobs|routed|sampled> <db_bench options...>: RocksDB as it is distributed, with
# samples for dictionaries and ROCKPRESS_BATCH=on: all data blocks come from batches (or some, or all
# but the blobs), and the database is the one that stock libzstd writes, readable without the hook.
# routed: with a goal: what it decides depends on the machine's speed, so only that it tries other ways.
# sampled: some blocks are compressed a second time to see how large they get, not from a batch.
set -euo pipefail
tree=$1 hook=$2 expected=$3
shift 3
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
need db_bench sst_dump ldb

bench=(db_bench --num=60000 --seed=7 --compression_type=zstd --compression_ratio=0.5
    --write_buffer_size=1048576 --level0_file_num_compaction_trigger=3
    --compression_max_dict_bytes=16384 --compression_zstd_max_train_bytes=1073741824 "$@")

# The comparison is with a database without dictionaries: none is trained.
stock "${bench[@]}" --compression_max_dict_bytes=0 --compression_zstd_max_train_bytes=0 \
    --db="$work/stock" >"$work/log" 2>&1 ||
    fail "$(tail -n 3 "$work/log")"

# A notice, once, however many files there are: no error is logged. db_bench draws its progress with
# carriage returns.
env LD_PRELOAD="$hook" ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device ROCKPRESS_BATCH=on ROCKPRESS_LOG=info \
    "${bench[@]}" --db="$work/info" >"$work/log" 2>"$work/stderr" || fail "$(tail -n 3 "$work/stderr")"
said=$(tr '\r' '\n' <"$work/stderr" | grep -c '^rockpress: .*no dictionary is trained') || true
[ "$said" = 1 ] || fail "said $said times that no dictionary is trained"

# The smallest blocks, too, so that "all" means all.
export ROCKPRESS_BATCH=on ROCKPRESS_LOG=off ROCKPRESS_MIN_BLOCK_BYTES=1
[ "$expected" != routed ] || export ROCKPRESS_GOAL=throughput
hooked host "${bench[@]}" --db="$work/db" >"$work/log"
cp "$work/stats" "$work/stats.kept"
for database in stock info db; do
    check_tables "$work/$database" || fail "$database"
    check_consistency "$work/$database" || fail "$database"
    blocks=$tables_blocks
    [ "$(content_digest "$work/$database")" = "$(content_digest "$work/stock")" ] ||
        fail "$database: content differs"
done
cp "$work/stats.kept" "$work/stats"
expect_no_faults

batches=$(counter batches_total)
batch=$(counter blocks_total batch)
others=$(($(counter blocks_total direct) + $(counter blocks_total cpu)))
[ "$batches" -gt 3 ] || [ "$expected" = routed ] || fail "$batches batches"
expect_counter batch_memory_used_bytes '' -eq 0
expect_counter batch_untaken_blocks_total '' -eq 0
[ "$expected" = routed ] || expect_counter batch_blocks_total '' -eq "$batch"
case $expected in
all)
    # Not from a batch are the index block of each file and what db_bench compresses when it starts.
    [ "$others" -le $((batches + 2)) ] || fail "$others of $((batch + others)) blocks not from one"
    [ "$batch" -ge "$blocks" ] || fail "$batch blocks served, the tables alone hold $blocks"
    ;;
sampled)
    [ "$batch" -ge "$blocks" ] || fail "$batch blocks served, the tables alone hold $blocks"
    [ "$others" -gt $((batches + 2)) ] || fail "$others blocks not from a batch: no samples"
    ;;
some)
    [ "$batch" -gt $((others / 4)) ] || fail "$batch blocks served, $others not"
    ;;
routed)
    [ "$((batch + others))" -ge "$blocks" ] || fail "$((batch + others)) blocks, the tables hold $blocks"
    expect_counter router_probes_total '' -gt 0
    ;;
blobs)
    [ "$others" -gt 10000 ] || fail "$others blobs"
    ;;
esac
printf 'batch %s, others %s blocks, %s batches\n' "$batch" "$others" "$batches"
