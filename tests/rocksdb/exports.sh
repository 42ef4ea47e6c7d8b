#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# exports.sh <tree> <hook>: the hook exports the functions of plugin/hook/exports.txt and the rp_ functions
# that the public headers declare, no more and no less, the latter with a version and the former without,
# as libzstd's own; says by its soname which interface it has; needs no symbol of libzstd from the linker
# (it would be the hook's own); and takes little of the static TLS that the loader has left when a
# library is dlopen'ed.
set -euo pipefail
tree=$1 hook=$2
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
need nm readelf

nm -D --defined-only "$hook" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/found"
{
    cat "$tree/plugin/hook/exports.txt"
    cat "$tree"/include/rockpress/*.h | tr '\n' ' ' | grep -oE 'RP_API [A-Za-z0-9_ *]*[ *]rp_[a-z0-9_]+\(' |
        sed -E 's/^.*[ *](rp_[a-z0-9_]+)\($/\1/'
} | sort >"$work/expected"
diff "$work/expected" "$work/found" || fail 'declared (<) and exported (>) functions differ'
unversioned=$(nm -D --defined-only "$hook" | awk '$2 != "A" && $3 !~ /@@ROCKPRESS_[0-9.]+$/ { print $3 }' | sort)
[ "$unversioned" = "$(cat "$tree/plugin/hook/exports.txt")" ] ||
    fail "not all of zstd's names are without a version, or not all others with one: $unversioned"
readelf -dW "$hook" | grep -qF 'Library soname: [librockpress_zstd.so.0]' || fail 'the soname is another'

sort -c "$tree/plugin/hook/exports.txt" || fail 'plugin/hook/exports.txt is not sorted'

if nm -D --undefined-only "$hook" | grep -E ' (ZSTD|ZDICT)_'; then
    fail 'the hook is linked to libzstd'
fi
# Static, for speed. What is dlopen'ed takes it from a reserve of some 1.6 KiB that all libraries share.
tls=$(readelf -lW "$hook" | awk '$1 == "TLS" { print $6 }')
if [ $((tls)) -eq 0 ] || [ $((tls)) -gt 128 ]; then
    fail "$((tls)) bytes of thread-local storage; allowed: 1 to 128"
fi
printf '%s exported functions\n' "$(wc -l <"$work/found")"
