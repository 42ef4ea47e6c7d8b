#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# dependencies.sh <tree>: a library that the tests need and that is missing stops the configuration,
# with its Debian package and the switch named; switched off by name, its tests are there as skipped.
set -euo pipefail
tree=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# configure <option>...: fails as CMake does; what it said is in $work/log
configure()
{
    rm -rf "$work/build"
    "${CMAKE:-cmake}" -S "$tree" -B "$work/build" -DROCKPRESS_CUDA=OFF -DROCKPRESS_BENCH=OFF "$@" \
        >"$work/log" 2>&1
}

# expect <text>: in what CMake said, which breaks lines
expect()
{
    if ! tr -s ' \n' ' ' <"$work/log" | grep -qF -- "$1"; then
        printf 'no "%s" in:\n' "$1"
        cat "$work/log"
        exit 1
    fi
}

for pair in cmocka=libcmocka-dev xxhash=libxxhash-dev rocksdb=librocksdb-dev; do
    name=${pair%=*}
    # An empty path is one that was looked for and not found.
    if configure "-D${name}_LIBRARY:FILEPATH="; then
        printf 'configured without %s, and nobody asked for that\n' "$name"
        exit 1
    fi
    expect "The tests need $name (Debian: ${pair#*=})"
    expect "-DROCKPRESS_WITHOUT=$name; without any: -DROCKPRESS_TESTS=OFF"
done
configure "-Dcmocka_LIBRARY:FILEPATH=" -DROCKPRESS_TESTS=OFF || { cat "$work/log" && exit 1; }
configure "-DROCKPRESS_WITHOUT=cmocka;xxhash" || { cat "$work/log" && exit 1; }
for name in unit_tests differential_tests fuzz_replay_tests; do
    (cd "$work/build" && ctest -R "^$name\$") >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }
    expect "$name (Skipped)"
done
! configure -DROCKPRESS_WITHOUT=cmoka || { printf 'cmoka was accepted\n' && exit 1; }
expect "'cmoka' is none of"
printf 'missing libraries are named\n'
