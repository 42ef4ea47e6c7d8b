#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# needed.sh <shared library>...: they load on a machine without a GPU and into a program without C++, so
# what the dynamic linker must find has nothing of CUDA's and nothing of a C++ library, neither as a library
# nor as a symbol that is left open. RocksDB loads rockpress, never the other way round.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname "$0")/common.sh"

n=0
for library in "$@"; do
    n=$((n + 1))
    while IFS= read -r name; do
        case $name in
        libcuda* | libnv* | librocksdb* | libstdc++* | libc++*)
            violation "$library: needs $name"
            ;;
        esac
    done < <(readelf -d "$library" | sed -nE 's/.*\(NEEDED\).*\[(.*)\].*/\1/p')
    while IFS= read -r name; do
        case $name in
        __cxa_finalize | __cxa_atexit | __cxa_thread_atexit_impl) ;; # of the C library
        cuda* | cu[A-Z]* | __cuda* | nv[A-Z]* | nvml* | _Z* | __cxa_* | __gxx_*)
            violation "$library: leaves $name open"
            ;;
        esac
    done < <(nm -D --undefined-only "$library" | awk '{ sub(/@.*/, "", $NF); print $NF }')
done
finish $n 'shared libraries'
