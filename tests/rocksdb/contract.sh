#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# contract.sh <tree> <hook> <hook_contract> <device>: what a caller of libzstd sees does not depend
# on the hook. Without a device even the bytes are the same.
set -euo pipefail
tree=$1 hook=$2 program=$3 device=$4
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"

# The program makes a context for each call, as threads that read do.
export ROCKPRESS_READS=device
mode=
[ "$device" != off ] || mode=bytes
stock "$program" $mode >"$work/expected"
hooked "$device" "$program" $mode >"$work/found"
diff "$work/expected" "$work/found" || fail "$device: the lines above differ from stock libzstd"
! grep -q WRONG "$work/expected" || fail 'stock libzstd, or the test, is wrong'
expect_no_faults
case $device in
host) expect_counter blocks_total direct -gt 1000 ;;
off) expect_counter blocks_total direct -eq 0 ;;
esac
printf '%s: %s lines equal; direct %s, cpu %s blocks\n' "$device" "$(wc -l <"$work/found")" \
    "$(counter blocks_total direct)" "$(counter blocks_total cpu)"
