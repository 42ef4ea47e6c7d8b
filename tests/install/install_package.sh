#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install_package.sh <build directory> <source tree>: installs to a directory of its own, moves that,
# and builds package/, a project that finds it with find_package(); runs its programs.
# shellcheck source=tests/install/install.sh
. "$(dirname "$0")/install.sh"
move_installation second

# configure <version>
configure()
{
    rm -rf "$work/build"
    "${CMAKE:-cmake}" -S "$here/package" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" \
        -DCMAKE_C_COMPILER="${CC:-cc}" -DWANTED_VERSION="$1" >"$work/configure.log" 2>&1
}

! configure "$((${version%%.*} + 1)).0" || fail "the package claims to be of a later version"
grep -qF 'compatible with requested version' "$work/configure.log" ||
    fail "refused for another reason: $(cat "$work/configure.log")"
configure "$version" || fail "$(cat "$work/configure.log")"
"${CMAKE:-cmake}" --build "$work/build" >"$work/build.log" 2>&1 || fail "$(cat "$work/build.log")"
for program in consumer batched; do
    for kind in shared static; do
        "$work/build/${program}_$kind" || fail "${program}_$kind: status $?"
    done
done
needs_shared "$work/build/consumer_shared" || fail "consumer_shared does not load the library"
! needs_shared "$work/build/consumer_static" || fail "consumer_static loads the shared library"
