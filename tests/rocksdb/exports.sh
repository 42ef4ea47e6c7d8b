#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# exports.sh <tree> <hook>: the hook exports the functions of plugin/exports.txt and the rp_ functions
# that the public headers declare, no more and no less; needs no symbol of libzstd from the linker
# (it would be the hook's own); and takes little of the static TLS that a late load has.
set -euo pipefail
tree=$1 hook=$2
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
need nm readelf

nm -D --defined-only "$hook" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/found"
{
    cat "$tree/plugin/exports.txt"
    cat "$tree"/include/rockpress/*.h | tr '\n' ' ' | grep -oE 'RP_API [A-Za-z0-9_ *]*[ *]rp_[a-z0-9_]+\(' |
        sed -E 's/^.*[ *](rp_[a-z0-9_]+)\($/\1/'
} | sort >"$work/expected"
diff "$work/expected" "$work/found" || fail 'declared (<) and exported (>) functions differ'
sort -c "$tree/plugin/exports.txt" || fail 'plugin/exports.txt is not sorted'

if nm -D --undefined-only "$hook" | grep -E ' (ZSTD|ZDICT)_'; then
    fail 'the hook is linked to libzstd'
fi
tls=$(readelf -lW "$hook" | awk '$1 == "TLS" { print $6 }')
[ -z "$tls" ] || [ $((tls)) -le 64 ] || fail "thread-local storage of $((tls)) bytes"
printf '%s exported functions, %s bytes of thread-local storage\n' "$(wc -l <"$work/found")" \
    "$((tls))"
