#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# small_stack.sh <tree> <small_stack> <library>...: the program runs with each library preloaded as it does
# without.
set -euo pipefail
tree=$1 program=$2
shift 2
hook=$1
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"

"$program" >"$work/found" || skip "no such thread without the hook either: $(cat "$work/found")"
for library in "$@"; do
    for device in off auto cuda; do
        LD_PRELOAD=$library ROCKPRESS_DEVICE=$device "$program" >"$work/found" 2>&1 ||
            fail "$library, $device: $(cat "$work/found")"
    done
    printf 'good: %s\n' "$library"
done
