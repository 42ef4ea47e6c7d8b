#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# needed.sh <shared library>...: they load on a machine without a GPU, so the driver's library and
# CUDA's runtime are not among what the dynamic linker must find. RocksDB loads rockpress, never the
# other way round.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname "$0")/common.sh"

n=0
for library in "$@"; do
    n=$((n + 1))
    while IFS= read -r name; do
        case $name in
        libcuda* | libnv* | librocksdb*)
            violation "$library: needs $name"
            ;;
        esac
    done < <(readelf -d "$library" | sed -nE 's/.*\(NEEDED\).*\[(.*)\].*/\1/p')
done
finish $n 'shared libraries'
