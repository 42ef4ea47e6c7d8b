#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cuda_library.sh <test_cuda_library> <its folder of installed libraries> <fake module> <librockpress.so>
#                 <test_no_gpu> <version>: which librockpress_cuda.so is loaded, and what is said of one that is not
# there or does not fit. test_cuda_library is test_no_gpu.c with the engine inside, and <folder> what it takes
# for the folder of installed libraries. The fake module (fake_module.h) says that it was loaded.
set -euo pipefail
program=$1 installed=$2 fake=$3 library=$4 program_shared=$5 version=$6
name=librockpress_cuda.so.0
loaded='the fake module has no GPU'
work=$(mktemp -d)
trap 'rm -rf "$work" "$installed"' EXIT
unset LD_PRELOAD LD_LIBRARY_PATH "${!ROCKPRESS_@}" "${!FAKE_MODULE_@}"
wrong=0
n=0

# expect <words of the reason> [NAME=VALUE]... <program>
expect()
{
    local reason=$1 output
    shift
    n=$((n + 1))
    if ! output=$(env "$@" "$reason" 2>&1); then
        printf 'WRONG: with %s, "%s":\n%s\n' "$*" "$reason" "$output"
        wrong=$((wrong + 1))
    fi
}

rm -rf "$installed"
mkdir "$work/beside" "$work/searched" "$work/elsewhere" "$installed"
cp "$program" "$work/beside/program"
beside=$work/beside/program

# Nowhere. The reason says where.
is_elsewhere=no
if [[ $(ldconfig -p 2>/dev/null) = *"$name"* ]]; then
    is_elsewhere=yes
    printf 'not tried: there is a %s where the dynamic linker looks\n' "$name"
else
    expect "no $name (built without CUDA, or not installed) in $installed" "$beside"
    expect "beside $beside" "$beside"
    expect "no $name" ROCKPRESS_CUDA_LIBRARY= "$beside"
fi

# The three places, the last one first, so that each is before those that were tried.
cp "$fake" "$work/searched/$name"
expect "$loaded" LD_LIBRARY_PATH="$work/searched" "$beside"
printf 'not a library\n' >"$installed/$name"
expect "$installed/$name: " LD_LIBRARY_PATH="$work/searched" "$beside"
cp "$fake" "$installed/$name"
expect "$loaded" "$beside"
printf 'not a library\n' >"$work/beside/$name"
expect "$work/beside/$name: " "$beside"
cp "$fake" "$work/beside/$name"
rm "$installed/$name"
expect "$loaded" "$beside"

# Not where everybody may put a file.
chmod 1777 "$work/beside"
if [ $is_elsewhere = no ]; then
    expect "no $name in $installed; everybody may write beside $beside" "$beside"
fi
cp "$fake" "$installed/$name"
printf 'not a library\n' >"$work/beside/$name"
expect "$loaded" "$beside"
rm "$installed/$name"
cp "$fake" "$work/beside/$name"
chmod 755 "$work/beside"

# Beside the file, whatever name it was called by: a relative one, a link.
ln -s "$beside" "$work/elsewhere/link"
expect "$loaded" "$work/elsewhere/link"
(cd "$work/beside" && expect "$loaded" ./program && [ $wrong -eq 0 ]) || wrong=$((wrong + 1))
# Beside the library, if the engine is in one, which may have been loaded by a relative path, too.
cp "$library" "$work/beside/librockpress.so.0"
expect "$loaded" LD_LIBRARY_PATH="$work/beside" "$program_shared"
(cd "$work" && expect "$loaded" LD_LIBRARY_PATH=beside "$program_shared" && [ $wrong -eq 0 ]) ||
    wrong=$((wrong + 1))

# The variable comes before all of them, and nothing else is tried.
variable=ROCKPRESS_CUDA_LIBRARY
expect "$loaded" $variable="$fake" "$program"
expect "$work/none.so: " $variable="$work/none.so" "$beside"
expect "$library is not rockpress's $name" $variable="$library" "$beside"

# Another version, and another interface of the same version.
expect "is of version 0.0.7; needed: $version" FAKE_MODULE_VERSION=7 "$beside"
expect "is of version 12.34.56; needed: $version" FAKE_MODULE_VERSION=123456 "$beside"
expect "of version $version has an interface of 48 and " FAKE_MODULE_SIZE=48 "$beside"
expect ' and 8 bytes; needed: ' FAKE_MODULE_LAUNCH_SIZE=8 "$beside"
expect 'is of version 0.0.7' FAKE_MODULE_VERSION=7 $variable="$fake" "$program"

# With more rights than its caller: neither the variable nor the folder beside it, which the caller
# may have linked it to. Only root can make such a program for another user, where the file system
# allows it.
set_user_id()
{
    chmod 755 "$work" "$work/beside"
    chown nobody "$1" && chmod 4755 "$1"
}
cp "$(command -v id)" "$work/id"
if ! set_user_id "$work/id" 2>"$work/log" || [ "$("$work/id" -u)" = "$(id -u)" ]; then
    printf 'not tried: no set-user-ID programs here\n'
else
    set_user_id "$beside"
    cp "$fake" "$installed/$name"
    expect "$loaded" $variable="$work/none.so" "$beside"
    printf 'not a library\n' >"$work/beside/$name"
    expect "$loaded" "$beside"
    rm "$installed/$name"
    [ $is_elsewhere = yes ] || expect "no $name" $variable="$fake" "$beside"
fi
printf '%d tried, %d wrong\n' $n $wrong
[ $wrong -eq 0 ]
