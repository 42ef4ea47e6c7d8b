#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# plugin_build.sh <tree> <build directory> <major.minor>: what a RocksDB needs that is built with
# ROCKSDB_PLUGINS=rockpress is there: the adapter compiles with what rocksdb/rockpress.mk and rocksdb/CMakeLists.txt
# say and links with the installed librockpress_plugin.a, by make and by CMake, into a program and into a
# shared library, which exports nothing else. RocksDB itself is made up (test_plugin_build.cc).
set -euo pipefail
tree=$1 build=$2 major=${3%.*} minor=${3#*.}
# shellcheck source=tests/rocksdb_adapter/lib.sh
. "$tree/tests/rocksdb_adapter/lib.sh"
need_cxx
command -v make >/dev/null || skip "no make"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_PRELOAD "${!ROCKPRESS_@}"
mapfile -t options < <(stand_in_options "$major" "$minor")

fail()
{
    printf '%s\n' "$*"
    exit 1
}

"${CMAKE:-cmake}" --install "$build" --prefix "$work/prefix" >"$work/log" || fail "$(cat "$work/log")"
# Where RocksDB keeps its plugins; what is relative is relative to this.
mkdir -p "$work/rocksdb/plugin"
ln -s "$tree/plugin/rocksdb" "$work/rocksdb/plugin/rockpress"
cd "$work/rocksdb"

# As a Makefile sees it: RocksDB's adds _CXXFLAGS for the compiler and, after its own libraries,
# _LDFLAGS for the linker. It does nothing with _LIBS.
make_says()
{
    printf 'include plugin/rockpress/rockpress.mk\nall:\n\t@echo $%s\n' "(rockpress_$1)" |
        make -s -f - ROCKPRESS_PREFIX="$work/prefix"
}
read -r -a cxxflags <<<"$(make_says CXXFLAGS)"
read -r -a ldflags <<<"$(make_says LDFLAGS)"
source=plugin/rockpress/$(make_says SOURCES)
[ "$(make_says FUNC)" = rockpress_register_plugin ] || fail "FUNC is $(make_says FUNC)"
stand_in=()
for option in "${options[@]}"; do
    # Only what is RocksDB's own; the rest is rocksdb/rockpress.mk's to say.
    [[ $option != -I* || $option = *stand_in ]] && stand_in+=("$option")
done
warnings=(-W -Wall -Wextra -Wsign-compare -Wshadow -Wunused-parameter -Werror)
"$cxx" -std=c++20 -O1 -fPIC -fno-rtti "${warnings[@]}" "${cxxflags[@]}" "${stand_in[@]}" -c "$source" \
    -o adapter.o
"$cxx" -std=c++20 -O1 -fPIC -fno-rtti "${options[@]}" -c "$here/test_plugin_build.cc" -o main.o
"$cxx" -o by_make main.o adapter.o -lzstd -lpthread "${ldflags[@]}"
"$cxx" -shared -o librocksdb.so main.o adapter.o -Wl,-z,defs -lzstd -lpthread "${ldflags[@]}"
# The block that it compresses is in the report, which nothing of the program's asks for.
try_it()
{
    local report
    rm -f stats
    ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device ROCKPRESS_VERIFY=all ROCKPRESS_STATS=stats "./$1" || fail "$1: status $?"
    report=$(cat stats) || fail "$1: no statistics"
    grep -qxF 'rockpress_blocks_total{route="direct"} 1' <<<"$report" || fail "$1: $report"
}
try_it by_make
# Names of the plugin's other libraries, such as the runtime of CUDA, stay inside.
nm -D --defined-only librocksdb.so | awk '$2 ~ /[TDBR]/ { print $NF }' >exported
grep -qxF rp_stats_get exported || fail "the shared library does not export rp_stats_get"
if grep -vE '^(_Z|rp_|rockpress_register|main$|_init$|_fini$)' exported; then
    fail "above: exported by the shared library, and should not be"
fi

# As CMake sees it: RocksDB's looks for three lines of rocksdb/rockpress.mk by their text, and adds the folder.
text()
{
    sed -nE "s/.*$1 = (.*)/\\1/p" plugin/rockpress/rockpress.mk | sed -n 1p
}
[ "plugin/rockpress/$(text SOURCES)" = "$source" ] || fail "SOURCES: $(text SOURCES)"
[ "$(text _FUNC)" = rockpress_register_plugin ] || fail "_FUNC: $(text _FUNC)"
cat >CMakeLists.txt <<EOF
cmake_minimum_required(VERSION 3.16)
project(rocksdb LANGUAGES CXX)
add_subdirectory(plugin/rockpress)
include_directories(\${rockpress_INCLUDE_PATHS})
link_directories(AFTER \${rockpress_LINK_PATHS})
add_executable(by_cmake $here/test_plugin_build.cc plugin/rockpress/$(text SOURCES))
target_compile_features(by_cmake PRIVATE cxx_std_20)
target_compile_options(by_cmake PRIVATE ${stand_in[*]})
target_link_libraries(by_cmake PRIVATE zstd pthread $(text _LIBS))
EOF
"${CMAKE:-cmake}" -B by_cmake -DROCKPRESS_PREFIX="$work/prefix" -DCMAKE_CXX_COMPILER="$cxx" \
    >"$work/log" 2>&1 || fail "$(cat "$work/log")"
"${CMAKE:-cmake}" --build by_cmake >"$work/log" 2>&1 || fail "$(cat "$work/log")"
try_it by_cmake/by_cmake
printf 'with RocksDB %s.%s made up: linked by make and by CMake, and ran\n' "$major" "$minor"
