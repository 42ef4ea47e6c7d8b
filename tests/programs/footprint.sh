#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# footprint.sh <tree> <hook> <bench/hook/startup>: a program that does nothing gets little memory and little
# thread-local storage from the preloaded hook. Its time is bench/hook/startup's to measure: no test is timed.
set -euo pipefail
tree=$1 hook=$2 startup=$3
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
[ -r /proc/self/smaps_rollup ] || skip 'no /proc/self/smaps_rollup'

"$startup" --rounds 21 "$hook" >"$work/table"
cat "$work/table"

# at_most <measure> <limit>: the median of the differences
at_most()
{
    local difference
    difference=$(awk -v name="$1" 'index($0, name) == 1 { print $NF }' "$work/table")
    [[ $difference =~ ^-?[0-9]+$ ]] || fail "$1: '$difference'"
    [ "$difference" -le "$2" ] || fail "$1: $difference more than without the hook, $2 are allowed"
}
# Mostly pages of files: the kernel maps some around each that is touched, of the hook and of libc.
at_most 'resident, KiB' 400
at_most 'private, KiB' 300
at_most 'thread-local storage, bytes' 128
grep -qE '^objects in the process .* [1-9][0-9]*$' "$work/table" || fail 'the hook was not loaded'
