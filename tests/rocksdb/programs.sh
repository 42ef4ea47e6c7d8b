#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# programs.sh <tree> <hook>: preloaded into programs that have nothing to do with RocksDB, the hook
# says nothing and changes nothing; a misspelt setting is named, and does no harm.
set -euo pipefail
tree=$1 hook=$2
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
need sh zstd ldb

# same <name> <command...>: stdout, stderr and status with the hook are those without it
same()
{
    local name=$1 status_stock=0 status_hooked=0
    shift
    (cd "$work" && "$@") >"$work/o1" 2>"$work/e1" || status_stock=$?
    (cd "$work" && env LD_PRELOAD="$hook" "$@") >"$work/o2" 2>"$work/e2" || status_hooked=$?
    [ $status_stock = $status_hooked ] || fail "$name: status $status_hooked, not $status_stock"
    cmp "$work/o1" "$work/o2" || fail "$name: its output differs"
    cmp "$work/e1" "$work/e2" || fail "$name: its errors differ: $(head -n 3 "$work/e2")"
    printf 'same: %s\n' "$name"
}

seq 1 200000 >"$work/data"
mkdir "$work/samples"
split -n 100 "$work/data" "$work/samples/s"
same 'a shell' sh -c 'echo hello; (exit 3); echo $?; exit 4'
for options in -3 '-12 --long' '-1 -T2' --fast=3; do
    # shellcheck disable=SC2086 # several options
    same "zstd $options" zstd -q $options -c data
done
same 'zstd --train' sh -c 'zstd -q --train samples/* -o d -f && sha256sum d && zstd -q -D d -c data'
same 'zstd, round trip' sh -c 'zstd -q -c data | zstd -q -dc | sha256sum'
# Often linked statically, those above; this one uses the shared library, for a stream.
if command -v dpkg-deb >/dev/null && ldd "$(command -v dpkg-deb)" | grep -q libzstd; then
    mkdir -p "$work/package/DEBIAN"
    cp "$work/data" "$work/package/"
    printf 'Package: a\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: a\n' \
        >"$work/package/DEBIAN/control"
    same 'dpkg-deb -Zzstd' env SOURCE_DATE_EPOCH=1 sh -c \
        'dpkg-deb -Zzstd -z19 --root-owner-group -b package a.deb && sha256sum a.deb'
fi
same 'a command that fails' ldb --db=nonexistent scan
if command -v python3 >/dev/null; then
    same 'python3, forking' python3 -c '
import os, zlib, threading
pid = os.fork()
if pid == 0: os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), len(zlib.compress(b"a" * 1000)))
t = threading.Thread(target=print, args=("thread",)); t.start(); t.join()'
fi

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
