#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# loader_lock.sh <tree> <hook> <loader_lock> <its module> <fake module>: a module's constructor may wait for
# a thread that compresses, even if that thread's block is the first that wants a GPU.
set -euo pipefail
tree=$1 hook=$2 program=$3 module=$4 fake=$5
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
need timeout

run()
{
    timeout 30 env "$@" "$program" "$module" >"$work/found" || fail "$*: status $?"
    [ "$(cat "$work/found")" = 'loaded, a frame' ] || fail "$*: $(cat "$work/found")"
    printf 'good: %s\n' "$*"
}

run A=B
run LD_PRELOAD="$hook" ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device
# Opening this GPU loads a library, as opening any does.
for open_ms in 0 100 2500; do
    rm -f "$work/stats"
    run LD_PRELOAD="$hook" ROCKPRESS_DEVICE=cuda ROCKPRESS_GOAL=device ROCKPRESS_CUDA_LIBRARY="$fake" FAKE_MODULE_GPU=1 \
        FAKE_MODULE_OPEN_MS=$open_ms ROCKPRESS_STATS="$work/stats"
    expect_counter fallbacks_total device -ge 1
    expect_counter blocks_total direct -eq 1
done
