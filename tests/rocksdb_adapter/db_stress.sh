#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# db_stress.sh <tree> <librockpress_rocksdb.so> <db_stress> <librocksdb.so> <adapter_workload>: RocksDB's own
# stress test, which knows what it wrote, with the adapter from an options file: block by block, with whole
# files as batches, and with dictionaries. Preloaded, unless RocksDB has rockpress inside.
set -euo pipefail
tree=$1 adapter=$2 db_stress=$3 workload=$5
LD_LIBRARY_PATH=$(dirname "$4")
export LD_LIBRARY_PATH
# shellcheck source=scripts/lib_rocksdb.sh
. "$tree/scripts/lib_rocksdb.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_PRELOAD "${!ROCKPRESS_@}"
preload=$adapter
if nm -D --defined-only "$4" | grep -qw rockpress_register_plugin; then
    preload=''
fi

fail()
{
    printf 'FAILED: %s\n' "$*"
    grep -iE 'fail|corrupt|error|status' "$work/log" | head -n 5
    exit 1
}

# Faults that are injected need a debug build.
no_faults=()
for kind in read write open_read open_write open_metadata_write metadata_read metadata_write; do
    no_faults+=("--${kind}_fault_one_in=0")
done

# stress <what> <scenario> <batch> <route>: with the options that the workload has for that scenario
stress()
{
    local what=$1 options blocks
    rm -rf "$work/db" "$work/expected" "$work/stats"
    ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device ROCKPRESS_BATCH=$3 ROCKPRESS_TIMEOUT_MS=60000 "$workload" write "$2" \
        "$work/db" >"$work/log" 2>&1 || fail "$what: the workload"
    options=$(find "$work/db" -name 'OPTIONS-*' | sort | tail -n 1)
    sed -E 's/^( *create_if_missing)=.*/\1=true/' "$options" >"$work/options"
    grep -q '^ *compression_manager=rockpress' "$work/options" || fail "no rockpress in $options"
    rm -rf "$work/db"
    mkdir "$work/db" "$work/expected"
    env LD_PRELOAD="$preload" ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device ROCKPRESS_BATCH="$3" ROCKPRESS_VERIFY=all \
        ROCKPRESS_TIMEOUT_MS=60000 ROCKPRESS_STATS="$work/stats" \
        "$db_stress" --options_file="$work/options" --compression_manager=none --db="$work/db" \
        --expected_values_dir="$work/expected" --destroy_db_initially=1 --threads=8 --reopen=2 \
        --ops_per_thread=6000 --max_key=10000 --value_size_mult=32 --column_families=1 \
        --clear_column_family_one_in=0 --test_batches_snapshots=0 --flush_one_in=500 \
        --compact_range_one_in=2000 --compact_files_one_in=2000 --verify_checksum_one_in=2000 \
        "${no_faults[@]}" >"$work/log" 2>&1 || fail "$what: status $?"
    grep -q 'Verification successful' "$work/log" || fail "$what: nothing was verified"
    blocks=$(sed -nE "s/^rockpress_blocks_total\\{route=\"$4\"\\} //p" "$work/stats")
    [ "${blocks:-0}" -gt 100 ] || fail "$what: blocks on the route $4: ${blocks:-none}"
    if grep -E '^rockpress_faults_total.* [1-9]' "$work/stats"; then
        fail "$what: faults"
    fi
    printf '%s: %d blocks on the route %s\n' "$what" "$blocks" "$4"
    if command -v sst_dump >/dev/null && [ -n "$(table_files "$work/db")" ]; then
        check_tables "$work/db" || fail "$what: the sst_dump that is installed"
        printf '%d tables read by the sst_dump that is installed\n' "$tables_n"
    fi
}

stress 'one by one' parallel off direct
stress batches batch on batch
stress dictionaries dictionary off cpu
