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
# The CUDA device, if this build has one, is a library of its own. Nobody is told to link CUDA, and
# nothing has a path of the build in it.
module=librockpress_cuda.so.0
if [ -e "$build/engine/$module" ]; then
    [ -e "$libdir/$module" ] || fail "$module is not in $libdir"
fi
! grep -rniE 'cuda' "$libdir/pkgconfig" "$libdir/cmake" || fail "above: a program would be linked with CUDA"
while IFS= read -r file; do
    ! readelf -d "$file" | grep -E 'R(UN)?PATH' || fail "above: in $file"
done < <(find "$libdir" -name '*.so*' -type f)

# finds_module: whether the library and the command load the CUDA device of the installation
finds_module()
{
    local program
    printf '%s\n' '#include <rockpress/device.h>' '#include <stdio.h>' 'int main(void) {' \
        'rp_device_info infos[2] = {RP_DEVICE_INFO_INIT}; rp_device_list(infos, 2);' \
        'printf("%s %s\n", infos[1].name, infos[1].reason); return 0; }' >"$work/list.c"
    "${CC:-cc}" -I"$prefix/include" "$work/list.c" -o "$work/list" "$libdir/librockpress.so" \
        -Wl,-rpath,"$libdir"
    for program in "$work/list" "$prefix/bin/rockpress info"; do
        # shellcheck disable=SC2086 # a program and its argument
        $program >"$work/found" || fail "$program: status $?"
        if grep 'librockpress_cuda' "$work/found"; then
            return 1
        fi
    done
}

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
if [ -e "$libdir/$module" ]; then
    finds_module || fail "$module is not found in an installation that was moved"
fi
# And a build without CUDA uses one that is put there: here one that says it is none.
printf 'not a library\n' >"$libdir/$module"
! finds_module >"$work/log" || fail "$libdir/$module is not looked at"
rm "$libdir"/librockpress.so*
build_and_run '' --static
! needs_shared "$work/consumer_c" || fail "the program is not linked with the static library"
