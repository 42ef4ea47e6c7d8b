#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# interfaces.sh <tree> <major.minor> [sanitizers]: the adapter with the interface of that version, where no RocksDB is:
# compiled against stand-in headers and run on a RocksDB that is made up. Every virtual function of
# that version is either overridden or one that is known to need nothing.
set -euo pipefail
tree=$1 major=${2%.*} minor=${2#*.} sanitizers=${3:-}
# shellcheck source=tests/rocksdb_adapter/lib.sh
. "$tree/tests/rocksdb_adapter/lib.sh"
need_cxx
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mapfile -t options < <(stand_in_options "$major" "$minor")

# Functions that the adapter inherits on purpose: RocksDB's own wrappers pass the calls on.
# shellcheck disable=SC2034 # used by reference
inherited_Compressor='GetId GetOptimizedDecompressor GetPreferredCompressionType GetSerializedDict'
# shellcheck disable=SC2034 # used by reference
inherited_CompressionManager='CompatibilityName CompressionTypeToString
    FindCompatibleCompressionManager GetDecompressor GetDecompressorForCompressor
    GetDecompressorForTypes GetDecompressorOptimizeFor SupportsCompressionType'

preprocess "$tree/plugin/rocksdb/rocksdb_adapter.cc" "${options[@]}" >"$work/adapter"
n=0
for pair in Compressor:RockpressCompressor CompressionManager:RockpressManager; do
    base=${pair%:*} derived=${pair#*:}
    declare -n inherited=inherited_$base
    functions "$derived" override <"$work/adapter" >"$work/overridden"
    [ -s "$work/overridden" ] || { printf 'no %s in the adapter\n' "$derived" && exit 1; }
    functions "$base" virtual <"$work/adapter" >"$work/virtual"
    while IFS= read -r function; do
        n=$((n + 1))
        grep -qxF -- "$function" "$work/overridden" && continue
        grep -qwF -- "${function%%/*}" <<<"$inherited" && continue
        printf '%s.%s: %s::%s is not covered by %s\n' "$major" "$minor" "$base" "$function" "$derived"
        exit 1
    done <"$work/virtual"
done
[ $n -gt 15 ] || { printf 'only %d virtual functions found\n' $n && exit 1; }

if [ -n "$sanitizers" ]; then
    # vptr, a part of undefined, is about run-time type information.
    options+=(-g "-fsanitize=$sanitizers" -fno-sanitize=vptr -fno-sanitize-recover=all)
    printf 'int main() { return 0; }\n' >"$work/try.cc"
    "$cxx" "${options[@]}" -o "$work/try" "$work/try.cc" >"$work/log" 2>&1 ||
        skip "$cxx has no -fsanitize=$sanitizers: $(head -n 1 "$work/log")"
fi
"$cxx" -std=c++17 -O1 -pthread -Wall -Wextra -Wshadow -Werror -fno-rtti "${options[@]}" \
    -o "$work/test" "$here/test_interfaces.cc" "$tree/plugin/rocksdb/rocksdb_adapter.cc"
"$work/test"
printf '%s.%s: %d virtual functions covered\n' "$major" "$minor" $n
