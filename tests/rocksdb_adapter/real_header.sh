#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# real_header.sh <tree> <include folder of RocksDB>: it declares the virtual functions that the
# stand-in for its version declares, so what interfaces.sh finds holds for it.
set -euo pipefail
tree=$1 include=$2
# shellcheck source=tests/rocksdb_adapter/lib.sh
. "$tree/tests/rocksdb_adapter/lib.sh"
need_cxx

part()
{
    sed -nE "s/^#define ROCKSDB_$1 +([0-9]+).*/\\1/p" "$include/rocksdb/version.h"
}
major=$(part MAJOR) minor=$(part MINOR)
mapfile -t options < <(stand_in_options "$major" "$minor")
header=rocksdb/advanced_compression.h
for class in Compressor CompressionManager; do
    real=$(preprocess "$include/$header" "-I$include" | functions $class virtual)
    stand_in=$(preprocess "$here/stand_in/$header" "${options[@]}" | functions $class virtual)
    [ -n "$real" ] || { printf 'no class %s found\n' $class && exit 1; }
    if ! diff <(printf '%s\n' "$stand_in") <(printf '%s\n' "$real"); then
        printf 'RocksDB %s.%s: above, < is the stand-in and > is the real %s\n' "$major" "$minor" $class
        exit 1
    fi
    printf 'RocksDB %s.%s: %d virtual functions of %s\n' "$major" "$minor" \
        "$(wc -l <<<"$real")" $class
done
