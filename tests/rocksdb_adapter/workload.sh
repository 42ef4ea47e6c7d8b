#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# workload.sh <tree> <adapter_workload> <scenario>: a database written through the adapter, read without it,
# and its tables verified by RocksDB's tools as the distribution has them, which may be years older.
set -euo pipefail
tree=$1 program=$2 scenario=$3
# shellcheck source=scripts/lib_rocksdb.sh
. "$tree/scripts/lib_rocksdb.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_PRELOAD "${!ROCKPRESS_@}"

batch=off
[[ $scenario != batch* ]] || batch=on
# A busy machine is no fault of the device's.
ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device ROCKPRESS_VERIFY=all ROCKPRESS_BATCH=$batch ROCKPRESS_TIMEOUT_MS=60000 \
    "$program" write "$scenario" "$work/db"
# A reader in which rockpress can do nothing.
ROCKPRESS_DEVICE=off "$program" read "$work/db"

# Tables of the newest format are not for older tools; all else is.
[ "$scenario" != newest ] || exit 0
if ! command -v sst_dump >/dev/null; then
    printf 'tables not tried with older tools: no sst_dump\n'
    exit 0
fi
check_tables "$work/db"
first=$(table_files "$work/db" | head -n 1)
answer=$(sst_dump --file="$first" --command=check --show_properties 2>&1)
grep -q 'SST file compression algo: .*ZSTD' <<<"$answer" ||
    { printf '%s: %s\n' "$first" "$(grep -i compression <<<"$answer")" && exit 1; }
printf '%d tables, %d blocks read by the sst_dump that is installed\n' "$tables_n" "$tables_blocks"
