#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# db_bench.sh <tree> <hook> <db_bench options...>: RocksDB as it is distributed, with stock libzstd
# and with the hook preloaded on the host device: same content, every block readable without it.
set -euo pipefail
tree=$1 hook=$2
shift 2
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
need db_bench sst_dump ldb

bench=(db_bench "--benchmarks=fillrandom,compact" --num=30000 --seed=7 --compression_type=zstd
    --compression_ratio=0.5 --write_buffer_size=1048576 --target_file_size_base=2097152 "$@")

stock "${bench[@]}" --db="$work/stock" >"$work/log" 2>&1 || fail "$(tail -n 3 "$work/log")"
hooked host "${bench[@]}" --db="$work/db" >"$work/log"
cp "$work/stats" "$work/stats.kept"

for database in stock db; do
    check_tables "$work/$database" || fail "$database"
    check_consistency "$work/$database" || fail "$database"
done
[ "$(content_digest "$work/db")" = "$(content_digest "$work/stock")" ] || fail 'content differs'
cp "$work/stats.kept" "$work/stats"
expect_no_faults
case "$*" in
*max_dict_bytes*) expect_counter fallbacks_total dictionary -gt 100 ;;
*) expect_counter blocks_total direct -gt $(($(counter blocks_total cpu) * 5 + 30)) ;;
esac
printf 'direct %s, cpu %s blocks\n' "$(counter blocks_total direct)" "$(counter blocks_total cpu)"
