#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# symbols.sh <librockpress_rocksdb.so>: exported are the rp_ interface and the two that register, each with
# a version. Nothing of zstd's, which would get between RocksDB and libzstd. And no RocksDB is brought
# along, which would get between another one and its program.
set -euo pipefail
exported=$(nm -D --defined-only "$1" | awk '$2 != "A" { print $NF }' | sort -u)
for name in rockpress_register rockpress_register_plugin rp_stats_value; do
    grep -qxE "$name@@ROCKPRESS_[0-9.]+" <<<"$exported" || { printf '%s is not exported\n' $name && exit 1; }
done
if grep -vE '^(rp_[a-z0-9_]+|rockpress_register(_plugin)?)@@ROCKPRESS_[0-9.]+$' <<<"$exported"; then
    printf 'above: exported, and should not be\n'
    exit 1
fi
needed=$(readelf -d "$1" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p')
if grep -vE '^(libstdc\+\+|libgcc_s|libc|libm|ld-linux.*)\.so' <<<"$needed"; then
    printf 'above: libraries that it needs, and should not\n'
    exit 1
fi
