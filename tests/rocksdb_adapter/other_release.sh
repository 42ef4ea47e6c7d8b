#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# other_release.sh <tree> <build directory> <major.minor>: the adapter as a shared library, built for that
# release, in processes with RocksDBs that are made up: it registers with its own release, and with any
# other one it says so and does nothing. RocksDB is a shared library, or inside the program.
set -euo pipefail
tree=$1 build=$2 ours=$3
# shellcheck source=tests/rocksdb_adapter/lib.sh
. "$tree/tests/rocksdb_adapter/lib.sh"
need_cxx
command -v "${OBJCOPY:-objcopy}" >/dev/null || skip "no objcopy"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_PRELOAD "${!ROCKPRESS_@}"

fail()
{
    printf '%s\n' "$*"
    exit 1
}

# As plugin/rocksdb/adapter.cmake has it built.
weaken=$(sed -nE 's/.*--wildcard "([^"]*)".*/\1/p' "$tree/plugin/rocksdb/adapter.cmake")
[ -n "$weaken" ] || fail "no --weaken-symbol in adapter.cmake"
mapfile -t options < <(stand_in_options "${ours%.*}" "${ours#*.}")
"$cxx" -std=c++17 -O0 -fPIC -fno-rtti -DROCKPRESS_REGISTER_ON_LOAD "${options[@]}" \
    -c "$tree/plugin/rocksdb/rocksdb_adapter.cc" -o "$work/adapter.o"
"${OBJCOPY:-objcopy}" --wildcard "$weaken" "$work/adapter.o" "$work/weak.o"
"$cxx" -shared -o "$work/adapter.so" "$work/weak.o" -L"$build/plugin" -lrockpress_plugin -lzstd -lpthread \
    -ldl "-Wl,--version-script=$tree/plugin/rocksdb/exports.map" -Wl,-Bsymbolic,-z,nodelete,-z,now,-z,defs

"$cxx" -std=c++17 -O0 -fPIC -fno-rtti "${options[@]}" -c "$here/client_of_rocksdb.cc" -o "$work/client.o"

# client <release>: makes $work/client-shared and $work/client-static, with that RocksDB
client()
{
    local flags
    mapfile -t flags < <(stand_in_options "${1%.*}" "${1#*.}")
    "$cxx" -std=c++17 -O0 -fPIC -fno-rtti "${flags[@]}" -c "$here/made_up_rocksdb.cc" -o "$work/rocksdb.o"
    "$cxx" -shared -o "$work/librocksdb.so" "$work/rocksdb.o"
    "$cxx" -o "$work/client-shared" "$work/client.o" -L"$work" -lrocksdb "-Wl,-rpath,$work"
    "$cxx" -rdynamic -o "$work/client-static" "$work/client.o" "$work/rocksdb.o"
}

# preloaded <command>: sets output and said, which is standard error
preloaded()
{
    output=$(LD_PRELOAD=$work/adapter.so "$@" 2>"$work/said") || fail "$*: status $?: $(cat "$work/said")"
    said=$(cat "$work/said")
}

client "$ours"
for how in shared static; do
    preloaded "$work/client-$how"
    [ "$output" = "$ours.5: rockpress " ] || fail "$how $ours: $output"
    [ -z "$said" ] || fail "$how $ours: $said"
    preloaded env ROCKPRESS_LOG=info "$work/client-$how"
    [[ $said == *'compression_manager=rockpress'*'loses that from its OPTIONS file'* ]] || fail "info: $said"
done
for theirs in 7.8 10.4 "${ours%.*}.99"; do
    client "$theirs"
    for how in shared static; do
        preloaded "$work/client-$how"
        [ "$output" = "$theirs.5: " ] || fail "$how $theirs: $output"
        [[ $said == *"built for RocksDB $ours and is of no use to $theirs; it was not registered" ]] ||
            fail "$how $theirs: $said"
        preloaded env ROCKPRESS_LOG=off "$work/client-$how"
        [ -z "$said" ] || fail "$how $theirs, off: $said"
    done
done

preloaded sh -c 'echo other'
[ "$output$said" = other ] || fail "without RocksDB: $output $said"
preloaded env ROCKPRESS_LOG=info sh -c 'echo other'
[[ $said == *"loaded where no RocksDB is"* ]] || fail "without RocksDB: $said"
printf 'built for %s: registered there, and with no other release\n' "$ours"
