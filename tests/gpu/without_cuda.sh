#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# without_cuda.sh <source tree> <test_no_gpu> <load>: a build with ROCKPRESS_CUDA=OFF has nothing of CUDA
# in it, on a machine with a toolkit too, and says so when it is asked for a GPU.
set -euo pipefail
source_tree=$1
program=$2
load=$3
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

make_libraries()
{
    "${CMAKE:-cmake}" -S "$source_tree" -B "$build" -DCMAKE_BUILD_TYPE=Debug -DROCKPRESS_CUDA=OFF \
        -DROCKPRESS_TESTS=OFF -DROCKPRESS_BENCH=OFF
    "${CMAKE:-cmake}" --build "$build" --target rockpress rockpress_zstd --parallel 2
}
if ! make_libraries >"$build/log" 2>&1; then
    cat "$build/log"
    exit 1
fi

libraries=("$build/engine/librockpress.so" "$build/plugin/librockpress_zstd.so")
for library in "${libraries[@]}"; do
    # Our own names have an rp_ in front.
    found=$(nm "$library" | awk '{ print $NF }' |
        grep -E '^(_*cuda|cu[A-Z]|_*nv[A-Z]|.*[fF]at[bB]in)' || true)
    found+=$(readelf -SW "$library" | grep -E 'nv_fatbin|nvFatBin' || true)
    if [ -n "$found" ]; then
        printf '%s has: %s\n' "$library" "$found"
        exit 1
    fi
done
"$load" "${libraries[@]}"
LD_LIBRARY_PATH=$build/engine "$program" 'no CUDA support'
