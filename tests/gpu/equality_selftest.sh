#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# equality_selftest.sh <test_gpu_equality>: the test fails with each defect that tests/gpu/broken_device.h
# can have, and says what is wrong; and it skips, with a reason, without its device.
set -euo pipefail
program=$1
wrong=0

# fails_with <defect> <part of the message>
fails_with()
{
    local status=0 output
    output=$("$program" --device "broken:$1" --small --effort fast) || status=$?
    if [ $status -ne 1 ] || ! grep -qE "FAILED: .*$2" <<<"$output"; then
        printf 'WRONG: broken:%s gave status %d and not "%s":\n%s\n' "$1" $status "$2" "$output"
        wrong=$((wrong + 1))
    fi
}

fails_with frame 'first difference at offset [0-9]+'
fails_with frame 'libzstd does not decode it'
fails_with size 'frame of ([0-9]+) bytes, expected'
fails_with status 'RP_STATUS_INTERNAL, expected RP_STATUS_OK|status 40 with'
fails_with output 'byte 0 after the capacity'
fails_with input 'byte [0-9]+ of input [0-9]+ .* was overwritten'
fails_with workspace '0 bytes after the workspace'
fails_with sequence 'first difference'
output=$("$program" --device broken:sequence --small --effort fast) || true
if ! grep -qE 'lz77 matcher, zstd block 0, sequence [0-9]+' <<<"$output"; then
    printf 'WRONG: broken:sequence: the stage is not named\n'
    wrong=$((wrong + 1))
fi

status=0
output=$("$program" --device cuda:1000 --small) || status=$?
if [ $status -ne 77 ] || [[ $output != *skipped:* ]]; then
    printf 'WRONG: no device: status %d, %s\n' $status "$output"
    wrong=$((wrong + 1))
fi
[ $wrong -eq 0 ]
