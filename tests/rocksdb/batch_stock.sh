#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# batch_stock.sh <tree> <hook>: ROCKPRESS_BATCH=on where it has nothing to do. Files that are not zstd's,
# and files on a machine without a device, keep their dictionary: their data blocks are those that
# RocksDB writes without the hook, byte for byte, and no dictionary is said to be missing.
set -euo pipefail
tree=$1 hook=$2
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
need db_bench sst_dump

# One thread, and one flush at the end: runs with the same options write the same blocks.
bench=(db_bench "--benchmarks=fillrandom,flush" --num=20000 --seed=7 --compression_ratio=0.5
    --block_size=4096 --disable_auto_compactions=1 --compression_max_dict_bytes=16384
    --compression_zstd_max_train_bytes=1073741824)

# data_blocks <database>: the data blocks of its only file, which are the file's first bytes
data_blocks()
{
    local table size
    table=$(table_files "$1")
    size=$(stock sst_dump --file="$table" --show_properties --command=none |
        awk -F': *' '/^ *data block size:/ { print $2; exit }')
    [ "${size:-0}" -gt 100000 ] || fail "$1: $size bytes of data blocks"
    head -c "$size" "$table"
}

# with <name> <device> <option...>: the same blocks with the hook as without. A trained dictionary is
# seen in the size.
with()
{
    local name=$1 device=$2
    shift 2
    stock "${bench[@]}" "$@" --db="$work/stock-$name" >"$work/log" 2>&1 ||
        fail "$name: $(tail -n 3 "$work/log")"
    stock "${bench[@]}" "$@" --compression_max_dict_bytes=0 --compression_zstd_max_train_bytes=0 \
        --db="$work/none-$name" >"$work/log" 2>&1 || fail "$name: $(tail -n 3 "$work/log")"
    env LD_PRELOAD="$hook" ROCKPRESS_DEVICE="$device" ROCKPRESS_GOAL=device ROCKPRESS_BATCH=on ROCKPRESS_LOG=info \
        ROCKPRESS_STATS="$work/stats" "${bench[@]}" "$@" --db="$work/db-$name" >"$work/log" \
        2>"$work/stderr" || fail "$name: $(tail -n 3 "$work/stderr")"
    data_blocks "$work/stock-$name" >"$work/stock.blocks"
    data_blocks "$work/none-$name" >"$work/none.blocks"
    data_blocks "$work/db-$name" >"$work/db.blocks"
    ! cmp -s "$work/stock.blocks" "$work/none.blocks" || fail "$name: stock uses no dictionary"
    cmp -s "$work/stock.blocks" "$work/db.blocks" || fail "$name: other data blocks than stock"
    ! grep -q 'no dictionary' "$work/stderr" || fail "$name: $(grep rockpress: "$work/stderr")"
    expect_counter batches_total '' -eq 0
    expect_counter batch_untaken_blocks_total '' -eq 0
    printf '%s: %s bytes of data blocks, %s without a dictionary\n' "$name" \
        "$(wc -c <"$work/db.blocks")" "$(wc -c <"$work/none.blocks")"
}

with lz4 host --compression_type=lz4
with lz4_finalized host --compression_type=lz4 --compression_use_zstd_dict_trainer=false
with off off --compression_type=zstd
with finalized off --compression_type=zstd --compression_use_zstd_dict_trainer=false
