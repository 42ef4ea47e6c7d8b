#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# database_checks.sh <tree>: the checks of scripts/lib_rocksdb.sh accept a good database and find
# each kind of damage. RocksDB's tools report some of it with exit status 0, so each check is tried.
set -euo pipefail

for tool in db_bench sst_dump ldb; do
    command -v $tool >/dev/null || { printf 'skipped: no %s\n' $tool && exit 77; }
done
# shellcheck source=scripts/lib_rocksdb.sh
. "$1/scripts/lib_rocksdb.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0

# make <name> <seed>: a database of a few hundred blocks
make()
{
    stock db_bench --db="$work/$1" --compression_type=zstd --benchmarks=fillrandom,compact \
        --num=20000 --block_size=4096 --seed="$2" >"$work/$1.log" 2>&1
}

# expect <yes|no> <what> <command...>
expect()
{
    local wanted=$1 what=$2 found=yes
    shift 2
    "$@" >"$work/answer" || found=no
    if [ $found != "$wanted" ]; then
        printf 'WRONG: %s: %s, %s\n' "$what" $found "$(cat "$work/answer")"
        wrong=$((wrong + 1))
    fi
}

# shellcheck disable=SC2317 # called by expect
all_keys_readable()
{
    [ "$(readable_keys "$1")" = "$2" ]
}

# shellcheck disable=SC2317 # called by expect
same_content()
{
    [ "$(content_digest "$1")" = "$(content_digest "$2")" ]
}

damaged_copy()
{
    rm -rf "$work/bad"
    cp -r "$work/good" "$work/bad"
    table=$(table_files "$work/bad" | head -n 1)
}

make good 1
make same 1
make other 2

expect yes 'good tables' check_tables "$work/good"
entries=$tables_entries
if [ "$tables_n" -ne 1 ] || [ "$entries" -lt 10000 ] || [ "$tables_blocks" -lt 100 ] ||
    [ "$tables_raw_bytes" -lt $((entries * 116)) ] || [ "$tables_file_bytes" -lt 100000 ]; then
    printf 'WRONG: sums: %s\n' "$tables_n $entries $tables_blocks $tables_raw_bytes"
    wrong=$((wrong + 1))
fi
expect yes 'good manifest' check_consistency "$work/good"
expect yes 'good keys' all_keys_readable "$work/good" "$entries"
expect yes 'same seed' same_content "$work/good" "$work/same"
expect no 'other seed' same_content "$work/good" "$work/other"

damaged_copy
printf '\377\0\377\0' | dd of="$table" bs=1 seek=200000 conv=notrunc status=none
expect no 'changed bytes: tables' check_tables "$work/bad"
expect no 'changed bytes: keys' all_keys_readable "$work/bad" "$entries"
expect no 'changed bytes: content' same_content "$work/good" "$work/bad"

damaged_copy
truncate -s -1000 "$table"
expect no 'truncated: tables' check_tables "$work/bad"
expect no 'truncated: manifest' check_consistency "$work/bad"

damaged_copy
rm "$table"
expect no 'missing: tables' check_tables "$work/bad"
expect no 'missing: manifest' check_consistency "$work/bad"
expect no 'missing: keys' all_keys_readable "$work/bad" "$entries"

exit $((wrong != 0))
