#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cell.sh <tree> <library> <matrix_workload> hook|adapter <block KiB> <level> <dictionary> <threads> <batch> <feature>:
# one cell of the matrix. The workload runs with stock zstd, then with the library preloaded. RocksDB without it
# reads both and compares with what was written; the blocks took the routes that docs/operations.md says; and the
# files are no larger than stock's by more than `slack`. TEST_DEVICE names the device; without it: host.
set -euo pipefail
tree=$1 hook=$2 program=$3 loader=$4
block=$5 level=$6 dictionary=$7 threads=$8 batch=$9 feature=${10}
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"

# Blocks of batches, if the interface shows them: the hook sees what is sampled for a trained dictionary, the
# adapter all blocks of the builder.
batched=no
if [ "$batch" = on ] && { [ "$loader" = adapter ] || [ "$dictionary" = trained ]; }; then
    batched=yes
fi
# The adapter gathers no file of SstFileWriter, whose size no option bounds.
if [ "$loader" = adapter ] && [ "$feature" = writer ]; then
    batched=no
fi

# compression_options <dictionary>
compression_options()
{
    printf 'level=%d;parallel_threads=%d' "$level" "$threads"
    [ "$1" = none ] || printf ';max_dict_bytes=16384'
    [ "$1" != trained ] || printf ';zstd_max_train_bytes=1073741824'
}

# options_for <dictionary>: one line for each family
options_for()
{
    local common zstd more='' given
    common='write_buffer_size=1048576;target_file_size_base=67108864;level0_file_num_compaction_trigger=4;'
    common+="block_based_table_factory={format_version=5;block_size=$((block * 1024))};"
    given=$(compression_options "$1")
    zstd="compression=kZSTD;compression_opts={$given};"
    case $feature in
    blobs) more='enable_blob_files=true;min_blob_size=512;blob_compression_type=kZSTD;' ;;
    log) more='wal_compression=kZSTD;' ;;
    sampled) more='sample_for_compression=3;' ;;
    bottommost)
        zstd='compression=kLZ4Compression;bottommost_compression=kZSTD;'
        zstd+="bottommost_compression_opts={$given;enabled=true};"
        ;;
    esac
    [ "$loader" = hook ] || [ "$2" = stock ] || more+='compression_manager=rockpress;'
    printf '%s\n' "$common$zstd$more"
    if [ "$feature" = families ]; then
        printf '%s\n' "$common$zstd$more"
        # Not zstd: its dictionary is none of rockpress's business.
        printf '%s\n' "${common}compression=kLZ4Compression;$more$(
            printf 'compression_opts={max_dict_bytes=16384;zstd_max_train_bytes=1073741824};'
        )"
    fi
}

mode='write'
export BLOCK_SIZE=$((block * 1024))
case $feature in
blobs) export LARGE_VALUES=1 ;;
log) mode=log ;;
secondary) mode=reread ;;
writer) mode=ingest ;;
esac

# check_content <database>: sets file_bytes to the size of tables and blobs, and family_bytes to each family's
check_content()
{
    file_bytes=$(find "$1" '(' -name '*.sst' -o -name '*.blob' ')' -printf '%s\n' |
        awk '{ n += $1 } END { print n + 0 }')
    found=$(stock "$program" read "$1" "$n_families") || fail "$1: $found"
    grep -q '^content is right$' <<<"$found" || fail "$1: $found"
    mapfile -t family_bytes < <(awk '$1 == "family" { print $4 }' <<<"$found")
}

# Where there are batches, no dictionary is trained (docs/operations.md): sizes are then compared without one.
compared=$dictionary
[ $batched = no ] || compared=none
mapfile -t options < <(options_for "$compared" stock)
n_families=${#options[@]}
stock "$program" $mode "$work/stock" "${options[@]}" >"$work/log" 2>&1 ||
    fail "stock: $(tail -n 3 "$work/log")"
check_content "$work/stock"
stock_bytes=$file_bytes
stock_family_bytes=("${family_bytes[@]}")

# A busy machine is no fault of the device's.
export ROCKPRESS_BATCH=$batch ROCKPRESS_TIMEOUT_MS=60000
mapfile -t options < <(options_for "$dictionary" rockpress)
hooked "${TEST_DEVICE:-host}" "$program" $mode "$work/db" "${options[@]}" >"$work/log"
cp "$work/stats" "$work/stats.kept"
hits=$(awk '/^secondary cache hits: / { print $4 }' "$work/log")
unset ROCKPRESS_BATCH ROCKPRESS_TIMEOUT_MS
# A reader empties the log.
compressed_log=yes
find "$work/db" -name '*.log' -print0 | xargs -0 grep -aqP '\x28\xb5\x2f\xfd' || compressed_log=no
check_content "$work/db"
cp "$work/stats.kept" "$work/stats"

direct=$(counter blocks_total direct) cpu=$(counter blocks_total cpu) served=$(counter blocks_total batch)
with_dictionary=$(counter fallbacks_total dictionary)
printf '%s, %s KiB, level %s, dictionary %s, %s threads, batch %s, %s: direct %s, batch %s, cpu %s, bytes %s of %s\n' \
    "$loader" "$block" "$level" "$dictionary" "$threads" "$batch" "$feature" "$direct" "$served" "$cpu" \
    "$file_bytes" "$stock_bytes"

expect_no_faults
# One thread waits until a GPU is open; the blocks of others are libzstd's meanwhile.
[ -n "${TEST_DEVICE:-}" ] || expect_counter fallbacks_total device -eq 0
for reason in parameter pool breaker router busy memory; do
    expect_counter fallbacks_total $reason -eq 0
done
case $feature in
secondary) ;;
writer) expect_counter fallbacks_total read -le 1 ;; # the file's first block looks like a read's
*) expect_counter fallbacks_total read -eq 0 ;;
esac
if [ $batched = yes ]; then
    expect_counter batches_total '' -gt 0
    # `log` ends the process while files are written: with a GPU the rest of them is libzstd's.
    if [ "$feature" != log ] || [ -z "${TEST_DEVICE:-}" ]; then
        expect_counter batch_blocks_total '' -eq "$served"
        expect_counter batch_untaken_blocks_total '' -eq 0
        expect_counter batch_memory_used_bytes '' -eq 0
    fi
    [ "$with_dictionary" = 0 ] || fail "$with_dictionary blocks with a dictionary, where none is trained"
    case $feature:${TEST_DEVICE:-} in
    # Blobs, samples and the blocks of a cache are compressed beside the files.
    blobs:* | sampled:* | secondary:* | log:?*) ;;
    # Not from a batch is one index block of each file.
    *) [ $((direct + cpu)) -le $(($(counter batches_total) * 2)) ] ||
        fail "$((direct + cpu)) blocks beside $served of $(counter batches_total) batches" ;;
    esac
else
    expect_counter batches_total '' -eq 0
    if [ "$loader" = adapter ] && [ "$batch" = on ]; then
        expect_counter files_without_batch_memory_total '' -gt 0
    fi
    if [ "$dictionary" != none ]; then
        [ "$with_dictionary" -gt 10 ] || fail "$with_dictionary blocks with a dictionary"
        case $feature in
        blobs | sampled | secondary) ;;
        *) [ "$direct" -le $((with_dictionary / 4 + 10)) ] || fail "$direct blocks without a dictionary" ;;
        esac
    else
        [ "$direct" -gt 10 ] || fail "$direct blocks on the device"
        [ "$with_dictionary" = 0 ] || fail "$with_dictionary blocks with a dictionary, where there is none"
        by_rule=$(($(counter fallbacks_total size) + $(counter fallbacks_total capacity) +
            $(counter fallbacks_total read) + $(counter fallbacks_total device)))
        [ "$cpu" = $by_rule ] || fail "$cpu blocks for libzstd, of which $by_rule are too small, hardly shrink or were read"
        # Tables of blobs' addresses hardly shrink, and a cache's blocks are libzstd's.
        [ "$feature" = blobs ] || [ "$feature" = secondary ] || [ "$cpu" -le $((direct / 4 + 5)) ] ||
            fail "$cpu blocks for libzstd"
    fi
fi
case $feature in
log)
    # Each of its 28,000 records is compressed by itself, as a stream, and not counted.
    [ $((direct + served + cpu)) -lt 8000 ] || fail 'the log was counted as blocks'
    [ $compressed_log = yes ] || fail 'a log without zstd'
    ;;
secondary)
    [ "$hits" -gt 0 ] || fail 'the secondary cache was not used'
    # The hook sees what the cache compresses, and leaves it to libzstd.
    [ "$loader" = adapter ] || expect_counter fallbacks_total read -gt 20
    ;;
families)
    # The LZ4 family is as without rockpress.
    [ "${family_bytes[2]}" -le $((stock_family_bytes[2] * 1001 / 1000)) ] ||
        fail "the LZ4 family has ${family_bytes[2]} bytes, stock ${stock_family_bytes[2]}"
    ;;
esac
slack=2 # percent: docs/benchmarks.md has what the efforts reach at each level
# `log` ends while files are written and compacted: how far that got is another each time.
[ "$feature" = log ] || [ $((file_bytes * 100)) -le $((stock_bytes * (100 + slack))) ] ||
    fail "$file_bytes bytes, $slack % more than stock's $stock_bytes are allowed"
