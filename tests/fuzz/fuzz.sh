#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: fuzz.sh <program> <seconds> <found> <corpus>
#
# Runs a libFuzzer target at the effort that TEST_EFFORT names. It starts from the stored inputs in <corpus>,
# which is only read; new ones go to <found>. The time counts from the start, so that a slow target would
# do no more than read what is stored, and pass: that is a failure here.
set -euo pipefail
program=$1 seconds=$2 found=$3 corpus=$4

mkdir -p "$found"
stored=$(find "$found" "$corpus" -type f | wc -l)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$program" -max_total_time="$seconds" -max_len=20000 -timeout=60 -print_final_stats=1 \
    -artifact_prefix="$found-" "$found" "$corpus" 2>&1 | tee "$log"
executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
if [ "${executed:-0}" -lt $((2 * stored)) ]; then
    printf '%s inputs, not even %s: nothing new was tried, raise fuzz_seconds\n' \
        "${executed:-0}" $((2 * stored)) >&2
    exit 1
fi
