#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install_consumer.sh <build directory> <source tree>: installs to a directory of its own, builds
# consumer.c and batched.c against it with pkg-config alone, as C and as C++, and runs them.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$1
source_tree=$2
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT

fail()
{
    printf '%s\n' "$*"
    exit 1
}

command -v pkg-config >/dev/null || { printf 'skipped: no pkg-config\n' && exit 77; }

"${CMAKE:-cmake}" --install "$build" --prefix "$prefix" >"$prefix/install.log" ||
    fail "$(cat "$prefix/install.log")"

# Installed are all public headers and nothing else of ours.
diff -r "$source_tree/include/rockpress" "$prefix/include/rockpress" ||
    fail "the installed headers are not those of include/rockpress"
pc=$(find "$prefix" -name rockpress.pc)
[ -n "$pc" ] || fail "rockpress.pc is not installed"
libdir=$(dirname "$(dirname "$pc")")
for library in librockpress.so librockpress_zstd.so; do
    [ -e "$libdir/$library" ] || fail "$library is not in $libdir"
done

# The prefix was chosen at the installation, after rockpress.pc was made.
config()
{
    PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --define-variable=prefix="$prefix" "$@" rockpress
}
config --exists || fail "pkg-config does not accept rockpress.pc"
version=$(sed -nE 's/.*rockpress VERSION ([0-9.]+).*/\1/p' "$source_tree/CMakeLists.txt")
[ "$(config --modversion)" = "$version" ] || fail "rockpress.pc has version $(config --modversion)"

for program in consumer batched; do
    for language in 'c -std=c11' 'c++ -std=c++17'; do
        compiler=${CC:-cc}
        name=${program}_${language%% *}
        if [ "${language%% *}" = c++ ]; then
            compiler=${CXX:-c++}
            command -v "$compiler" >/dev/null || continue
        fi
        # shellcheck disable=SC2046,SC2086 # several words on purpose
        "$compiler" -x $language -Wall -Wextra -Werror $(config --cflags) "$here/$program.c" -x none \
            -o "$prefix/$name" $(config --libs) -lzstd || fail "$name: the compiler refused"
        LD_LIBRARY_PATH=$libdir "$prefix/$name" || fail "$name: status $?"
    done
done
