#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install_consumer.sh <build directory> <source tree>: installs to a directory of its own, builds
# consumer.c and batched.c against it with pkg-config alone, as C and as C++, and runs them: with the
# shared library, and, from where the installation was moved to, with the static one.
# shellcheck source=tests/install/install.sh
. "$(dirname "$0")/install.sh"
command -v pkg-config >/dev/null || skip "no pkg-config"

# Installed are all public headers and nothing else of ours.
diff -r "$source_tree/include/rockpress" "$prefix/include/rockpress" ||
    fail "the installed headers are not those of include/rockpress"
for library in librockpress.so librockpress.a librockpress_zstd.so; do
    [ -e "$libdir/$library" ] || fail "$library is not in $libdir"
done
soname=$(readelf -d "$libdir/librockpress.so" | sed -nE 's/.*SONAME.*\[(.*)\].*/\1/p')
[[ $soname == librockpress.so.[0-9]* ]] || fail "librockpress.so has the soname '$soname'"
nm -D --with-symbol-versions "$libdir/librockpress.so" |
    grep -qE ' rp_compress_async@@ROCKPRESS_[0-9.]+$' || fail "rp_compress_async has no version"
! nm -D --defined-only --with-symbol-versions "$libdir/librockpress.so" |
    grep -E ' [TDBRVW] ' | grep -v '@@ROCKPRESS_' || fail "these symbols have no version"

config()
{
    PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config "$@" rockpress
}

# build_and_run <library path> <options of pkg-config...>
build_and_run()
{
    local library_path=$1 program language compiler name
    shift
    config --exists || fail "pkg-config does not accept rockpress.pc"
    for program in consumer batched; do
        for language in 'c -std=c11' 'c++ -std=c++17'; do
            compiler=${CC:-cc}
            name=${program}_${language%% *}
            if [ "${language%% *}" = c++ ]; then
                compiler=${CXX:-c++}
                command -v "$compiler" >/dev/null || continue
            fi
            # shellcheck disable=SC2046,SC2086 # several words on purpose
            "$compiler" -x $language -Wall -Wextra -Werror $(config --cflags) "$here/$program.c" \
                -x none -o "$work/$name" $(config "$@" --libs) -lzstd ||
                fail "$name: the compiler refused"
            LD_LIBRARY_PATH=$library_path "$work/$name" || fail "$name: status $?"
        done
    done
}

[ "$(config --modversion)" = "$version" ] || fail "rockpress.pc has version $(config --modversion)"
build_and_run "$libdir"
needs_shared "$work/consumer_c" || fail "the program is not linked with the shared library"

move_installation second
rm "$libdir"/librockpress.so*
build_and_run '' --static
! needs_shared "$work/consumer_c" || fail "the program is not linked with the static library"
