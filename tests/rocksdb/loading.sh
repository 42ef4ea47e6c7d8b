#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# loading.sh <tree> <hook> <hook_dlopen> <hook_contract> <the same, linked to the hook> <librocksdb>:
# the ways into a process other than LD_PRELOAD over a linked librocksdb.
set -euo pipefail
tree=$1 hook=$2 program=$3 contract=$4 linked=$5 librocksdb=$6
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
# hook_contract makes a context for each call, as threads that read do.
export ROCKPRESS_READS=device
need sst_dump ldb cc

# A librocksdb that was itself dlopen'ed.
stock "$program" rocksdb "$librocksdb" "$work/stock" >"$work/log"
hooked host "$program" rocksdb "$librocksdb" "$work/db" >"$work/log"
cp "$work/stats" "$work/stats.kept"
for database in stock db; do
    check_tables "$work/$database" || fail "$database"
    check_consistency "$work/$database" || fail "$database"
done
[ "$(content_digest "$work/db")" = "$(content_digest "$work/stock")" ] || fail 'content differs'
cp "$work/stats.kept" "$work/stats"
expect_no_faults
expect_counter blocks_total direct -gt 100
printf 'dlopened librocksdb: direct %s blocks\n' "$(counter blocks_total direct)"

# Linked before libzstd, not preloaded.
stock "$contract" >"$work/expected"
rm -f "$work/stats"
ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device ROCKPRESS_VERIFY=all ROCKPRESS_STATS="$work/stats" "$linked" >"$work/found"
diff "$work/expected" "$work/found" || fail 'linked: the lines above differ'
expect_no_faults
expect_counter blocks_total direct -gt 1000
printf 'linked: direct %s blocks\n' "$(counter blocks_total direct)"

# The hook dlopen'ed by a running program: its thread-local storage must still fit.
rm -f "$work/stats"
ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device ROCKPRESS_STATS="$work/stats" "$program" hook "$hook" >"$work/found"
[ "$(cat "$work/found")" = 'a frame' ] || fail "dlopened hook: $(cat "$work/found")"
expect_counter blocks_total direct -eq 1
printf 'dlopened hook: %s\n' "$(cat "$work/found")"

# No libzstd at all: a library of that name that has nothing in it stands in the way.
mkdir "$work/empty"
printf 'int rockpress_nothing;\n' | cc -shared -fPIC -x c - -o "$work/empty/libzstd.so.1" \
    -Wl,-soname,libzstd.so.1
LD_LIBRARY_PATH="$work/empty" ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device "$program" hook "$hook" >"$work/found"
[ "$(cat "$work/found")" = 'no context, error 64' ] || fail "without libzstd: $(cat "$work/found")"
printf 'without libzstd: %s\n' "$(cat "$work/found")"
