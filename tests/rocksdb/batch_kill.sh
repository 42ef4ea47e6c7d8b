#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# batch_kill.sh <tree> <hook> <kills>: a database that is written through batches, killed with SIGKILL
# in the middle of flushes and compactions, and each time opened without the hook: it recovers, every
# block of every file decompresses, and no key that was there before is lost.
set -euo pipefail
tree=$1 hook=$2 kills=$3
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
need db_bench sst_dump ldb

bench=(db_bench --num=400000 --compression_type=zstd --compression_ratio=0.5 --block_size=4096
    --write_buffer_size=524288 --level0_file_num_compaction_trigger=2 --max_background_jobs=4
    --target_file_size_base=4194304 --max_bytes_for_level_base=4194304 --db="$work/db")
in_the_middle=0
keys=0

for ((i = 0; i < kills; i++)); do
    env LD_PRELOAD="$hook" ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device ROCKPRESS_BATCH=on ROCKPRESS_LOG=off \
        "${bench[@]}" --benchmarks=overwrite --use_existing_db=$((i > 0)) --seed=$((i + 1)) \
        --compression_max_dict_bytes=16384 --compression_zstd_max_train_bytes=1073741824 \
        --compression_parallel_threads=$((i % 2 * 2 + 1)) >"$work/log" 2>&1 &
    writer=$!
    # From a quarter of a second on, at another moment each time.
    sleep "0.$((25 + (i * 37) % 70))"
    kill -9 "$writer" 2>/dev/null || fail "the writer was done before it was killed: $(cat "$work/log")"
    wait "$writer" 2>/dev/null || true
    started=$(grep -cE '"event": "(flush|compaction)_started"' "$work/db/LOG") || true
    finished=$(grep -cE '"event": "(flush|compaction)_finished"' "$work/db/LOG") || true
    [ "$started" -le "$finished" ] || in_the_middle=$((in_the_middle + 1))
    # Recovery, by stock RocksDB, which also removes what was left half-way.
    stock "${bench[@]}" --benchmarks=verifychecksum --use_existing_db=1 >"$work/log" 2>&1 ||
        fail "kill $i: $(tail -n 3 "$work/log")"
    check_tables "$work/db" || fail "kill $i"
    check_consistency "$work/db" || fail "kill $i"
    found=$(readable_keys "$work/db")
    [ "${found:-0}" -ge "$keys" ] || fail "kill $i: $found keys, there were $keys"
    keys=$found
done
[ "$keys" -gt 1000 ] || fail "only $keys keys were written"
[ "$in_the_middle" -gt 0 ] || fail 'no flush or compaction was under way at any kill'
printf '%s kills, %s in the middle of a flush or compaction, %s keys\n' "$kills" "$in_the_middle" "$keys"
