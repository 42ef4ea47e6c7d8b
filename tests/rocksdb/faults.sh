#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# faults.sh <tree> <hook that fails on command> some|all [batch]: stock db_bench with the hook on a device of
# which one call fails, or all from one on (tests/fault/plan.h). Each time db_bench succeeds, the
# database has the content that stock zstd wrote, every block of it reads without the hook,
# and the counters account for every block. With batch, whole files go to the device.
set -euo pipefail
tree=$1 hook=$2 extent=$3 route=${4:-direct}
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
need db_bench sst_dump ldb

bench=(db_bench "--benchmarks=fillrandom,compact" --num=12000 --seed=11 --compression_type=zstd
    --compression_ratio=0.5 --block_size=8192 --write_buffer_size=524288
    --target_file_size_base=1048576)

batch=()
if [ "$route" = batch ]; then
    export ROCKPRESS_BATCH=on
    batch=(--compression_max_dict_bytes=16384 --compression_zstd_max_train_bytes=1073741824)
fi

# calls <function>: how often it was called in the last run; "made": how many of the calls failed
calls()
{
    sed -nE "s/^$1 ([0-9]+)$/\1/p" "$work/report"
}

sum_of()
{
    local name=$1 label sum=0
    shift
    for label in "$@"; do
        sum=$((sum + $(counter "$name" "$label")))
    done
    printf '%s\n' "$sum"
}

expect_counters_add_up()
{
    local faults
    faults=$(sum_of faults_total timeout launch memory device verify internal)
    expect_counter blocks_total cpu -eq \
        "$(sum_of fallbacks_total dictionary size device parameter capacity pool breaker fault memory read)"
    # A chunk of a batch that failed is one fault, of many blocks or of none.
    [ "$route" = batch ] || expect_counter fallbacks_total fault -eq "$faults"
    expect_counter verified_blocks_total '' -eq "$(sum_of blocks_total direct batch)"
    expect_counter faults_total verify -eq 0
    [ "$(sum_of blocks_total direct batch cpu)" -gt 100 ] ||
        fail 'next to nothing was compressed'
    [ "$faults" -le "$(calls made)" ] || fail "$faults faults, $(calls made) calls failed"
    # Of a wait for a chunk that nobody wants any more nothing depends.
    if [ "$(calls made)" -gt 0 ] && [ "$faults" -eq 0 ] && [ "$route $1" != 'batch wait' ]; then
        fail 'a call failed, and no block says so'
    fi
}

# run <function> <nth> once|on <status name>
n_runs=0
run()
{
    local what="$1 $2 $3 with $4" plan=none
    [ "$2" -eq 0 ] || plan="fail@$1=$4+$(($2 - 1))$([ "$3" = once ] && printf x1 || printf %%100)"
    rm -rf "$work/db" "$work/stats" "$work/report"
    env LD_PRELOAD="$hook" ROCKPRESS_DEVICE="fault:1:$plan:copied" ROCKPRESS_GOAL=device \
        ROCKPRESS_TIMEOUT_MS=60000 ROCKPRESS_VERIFY=all ROCKPRESS_LOG=off ROCKPRESS_BREAKER_RETRY_MS=1 ROCKPRESS_STATS="$work/stats" \
        TEST_FAULT_REPORT="$work/report" \
        "${bench[@]}" "${batch[@]}" --db="$work/db" >"$work/log" 2>&1 || fail "$what: $(tail -n 3 "$work/log")"
    cp "$work/stats" "$work/stats.kept"
    check_tables "$work/db" || fail "$what"
    check_consistency "$work/db" || fail "$what"
    [ "$(content_digest "$work/db")" = "$expected" ] || fail "$what: content differs"
    cp "$work/stats.kept" "$work/stats"
    expect_counters_add_up "$1"
    n_runs=$((n_runs + 1))
    printf '%s: %s calls failed; direct %s, batch %s, cpu %s blocks\n' "$what" "$(calls made)" \
        "$(counter blocks_total direct)" "$(counter blocks_total batch)" \
        "$(counter blocks_total cpu)"
}

stock "${bench[@]}" --db="$work/stock" >"$work/log" 2>&1 || fail "$(tail -n 3 "$work/log")"
expected=$(content_digest "$work/stock")

# Nothing fails: how many calls there are to fail.
run any 0 once launch_failed
[ "$(calls made)" -eq 0 ] || fail 'something failed that was not to'
cp "$work/report" "$work/all_calls"
n_calls_of()
{
    sed -nE "s/^$1 ([0-9]+)$/\1/p" "$work/all_calls"
}
least=400
[ "$route" = direct ] || least=30
[ "$(n_calls_of launch)" -gt $least ] || fail "$(n_calls_of launch) launches are too few"

if [ "$extent" = some ]; then
    run any 1 once out_of_device_memory
    run launch $(($(n_calls_of launch) / 2)) once launch_failed
    run wait $(($(n_calls_of wait) / 3)) on timeout
    run any $(($(n_calls_of any) / 2)) on device_fault
else
    statuses=(launch_failed timeout device_fault out_of_device_memory out_of_host_memory internal)
    which=0
    for function in memory_alloc staging_alloc stream_create copy launch wait any; do
        n=$(n_calls_of $function)
        [ "$n" -gt 0 ] || fail "$function is never called"
        # Call by call at the start, where lanes are made, then here and there.
        for nth in 1 2 3 4 5 $((n / 4)) $((n / 2)) $((n * 3 / 4)); do
            if [ "$nth" -lt 1 ] || [ "$nth" -gt "$n" ]; then continue; fi
            for mode in once on; do
                run $function $nth $mode "${statuses[which % ${#statuses[@]}]}"
                which=$((which + 1))
            done
        done
    done
fi
printf '%d databases\n' "$n_runs"
