#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# programs.sh <tree> <hook>: a misspelt setting and a missing device are named once and do no harm; reports
# go where they should. (tests/programs has the programs that know nothing of RocksDB.)
set -euo pipefail
tree=$1 hook=$2
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
# Settings that are wrong are named once; the program runs on.
need db_bench
bench=(db_bench "--benchmarks=fillseq,flush" --num=2000 --compression_type=zstd --db="$work/db")
LD_PRELOAD="$hook" ROCKPRESS_DEVICE=gpu ROCKPRESS_LANES=0 ROCKPRESS_SPED=1 "${bench[@]}" \
    >"$work/log" 2>&1 || fail 'db_bench with wrong settings'
for name in 'DEVICE=gpu .*allowed: auto, cuda' 'LANES=0 .*allowed: 1 to 4096' 'ROCKPRESS_SPED'; do
    [ "$(grep -c "^rockpress: .*$name" "$work/log")" = 1 ] || fail "no line, or many: $name"
done
LD_PRELOAD="$hook" ROCKPRESS_DEVICE=gpu ROCKPRESS_LOG=off "${bench[@]}" >"$work/log" 2>&1
if grep '^rockpress: ' "$work/log"; then
    fail 'not silent with ROCKPRESS_LOG=off'
fi
LD_PRELOAD="$hook" ROCKPRESS_DEVICE=gpu ROCKPRESS_LOG_FILE="$work/lines" "${bench[@]}" >"$work/log" 2>&1
if grep '^rockpress: ' "$work/log"; then
    fail 'lines on standard error that have a file'
fi
grep -q '^rockpress: .*DEVICE=gpu' "$work/lines" || fail 'no line in ROCKPRESS_LOG_FILE'
printf 'wrong settings are named\n'

# A device that was asked for by name and is not there is one line, not a failure.
LD_PRELOAD="$hook" ROCKPRESS_DEVICE=cuda:99 ROCKPRESS_STATS="$work/stats" "${bench[@]}" \
    >"$work/log" 2>&1 || fail 'db_bench without its device'
[ "$(grep -c '^rockpress: device cuda:99: ' "$work/log")" = 1 ] || fail 'a missing device, unsaid'
expect_counter blocks_total direct -eq 0
expect_counter fallbacks_total device -gt 10
printf 'a missing device is named\n'

# The report: of each process its own with %p, on standard error with -.
LD_PRELOAD="$hook" ROCKPRESS_DEVICE=off ROCKPRESS_STATS=- "${bench[@]}" >"$work/log" 2>"$work/errors"
grep -q '^rockpress_blocks_total{route="cpu"} [1-9]' "$work/errors" || fail 'no report on stderr'
LD_PRELOAD="$hook" ROCKPRESS_DEVICE=off ROCKPRESS_STATS="$work/report.%p" "${bench[@]}" \
    >"$work/log" 2>&1
[ "$(find "$work" -name 'report.[0-9]*' | wc -l)" = 1 ] || fail 'not one report per process'
printf 'reports are written\n'
