#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# without_cuda.sh <source tree> <test_no_gpu> <load> <librockpress_cuda.so>: a build with ROCKPRESS_CUDA=OFF
# makes no librockpress_cuda.so and has nothing of CUDA in it, on a machine with a toolkit too. It says so
# when it is asked for a GPU, and uses the librockpress_cuda.so of another build of the same version.
set -euo pipefail
source_tree=$1
program=$2
load=$3
module=$4
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
"$source_tree/tests/hygiene/footprint.sh" "${libraries[@]}"
"$load" "${libraries[@]}"
made=$(find "$build" -name 'librockpress_cuda*')
[ -z "$made" ] || { printf 'made: %s\n' "$made" && exit 1; }
mkdir "$build/beside"
cp "$build"/engine/librockpress.so* "$build/beside/"
none=("$program" 'no librockpress_cuda.so.0 (built without CUDA')
if [[ $(ldconfig -p 2>/dev/null) = *librockpress_cuda.so.0* ]]; then
    printf 'not tried: there is a librockpress_cuda.so.0 where the dynamic linker looks\n'
else
    LD_LIBRARY_PATH=$build/beside "${none[@]}"
fi
cp "$module" "$build/beside/librockpress_cuda.so.0"
! LD_LIBRARY_PATH=$build/beside "${none[@]}" >"$build/log" 2>&1 || { cat "$build/log" && exit 1; }
LD_LIBRARY_PATH=$build/beside "$program"
