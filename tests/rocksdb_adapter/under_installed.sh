#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# under_installed.sh <librockpress_rocksdb.so> <major.minor>: the adapter, built for that release, preloaded
# into the db_bench that is installed, if that is of another release: it says that it is of no use, and
# everything goes on as without it.
set -euo pipefail
adapter=$1 ours=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_PRELOAD LD_LIBRARY_PATH "${!ROCKPRESS_@}"

skip()
{
    printf 'skipped: %s\n' "$*"
    exit 77
}

db_bench=$(command -v db_bench) || skip "no db_bench is installed"
theirs=$("$db_bench" --benchmarks=fillseq --num=1 --db="$work/db" 2>&1 |
    sed -nE 's/^RocksDB: +version ([0-9]+\.[0-9]+).*/\1/p' | sed -n 1p)
[ -n "$theirs" ] || { printf 'db_bench does not say its version\n' && exit 1; }
[ "$theirs" != "$ours" ] || skip "the db_bench that is installed is of $ours, too"
env LD_PRELOAD="$adapter" ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device ROCKPRESS_BATCH=off ROCKPRESS_STATS="$work/stats" "$db_bench" \
    --benchmarks=fillrandom,compact,readrandom --num=20000 --compression_type=zstd --db="$work/db" \
    >"$work/out" 2>"$work/said" || { printf 'db_bench: status %d\n' $? && cat "$work/said" && exit 1; }
grep -q "built for RocksDB $ours and is of no use to $theirs; it was not registered" "$work/said" ||
    { printf 'no message:\n' && cat "$work/said" && exit 1; }
grep -qE '^readrandom .*\([0-9]+ of 20000 found\)' "$work/out" || { cat "$work/out" && exit 1; }
[ ! -e "$work/stats" ] || { printf 'it compressed blocks\n' && exit 1; }
printf 'built for %s, it refused %s, which worked on\n' "$ours" "$theirs"
