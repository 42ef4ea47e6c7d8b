#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# footprint.sh <library>...: what a shared library or an archive costs a program that does not use a GPU.
# Every thread of such a program has the library's thread-local storage, on its own stack if the library
# is preloaded: at most 128 bytes. And CUDA is in librockpress_cuda.so only, so there is none of its runtime
# and none of a GPU's machine code. Libraries are looked at before they are stripped.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname "$0")/common.sh"
max_tls_bytes=128

n=0
for library in "$@"; do
    n=$((n + 1))
    # An archive is made of objects, which have sections and no segments.
    while read -r size; do
        [ $((size)) -le $max_tls_bytes ] ||
            violation "$library: $((size)) bytes of thread-local storage; allowed: $max_tls_bytes"
    done < <(readelf -lW "$library" 2>/dev/null | awk '$1 == "TLS" { print $6 }')
    names=$(nm "$library" 2>/dev/null | awk 'NF > 1 { print $NF }' | sort -u)
    [ -n "$names" ] || violation "$library: has no symbols to look at"
    # Our own names have an rp_ in front.
    found=$(grep -E '^(_*cuda|cu[A-Z]|_*nv[A-Z]|.*[fF]at[bB]in)' <<<"$names" || true)
    [ -z "$found" ] || violation "$library: has" "$(head -n 3 <<<"$found")"
    found=$(readelf -SW "$library" 2>/dev/null | grep -oE '\.?(nv_fatbin|nvFatBin)[A-Za-z]*' || true)
    [ -z "$found" ] || violation "$library: has the section" "$(head -n 1 <<<"$found")"
done
finish $n libraries
