# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of an installed rockpress have in common; sourced with the build directory and the
# source tree as arguments. Sets prefix, a folder with an installation, and libdir and work.
# shellcheck disable=SC2034 # variables for those who source this
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$1
source_tree=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/first

fail()
{
    printf '%s\n' "$*"
    exit 1
}

skip()
{
    printf 'skipped: %s\n' "$*"
    exit 77
}

"${CMAKE:-cmake}" --install "$build" --prefix "$prefix" >"$work/install.log" ||
    fail "$(cat "$work/install.log")"
pc=$(find "$prefix" -name rockpress.pc)
[ -n "$pc" ] || fail "rockpress.pc is not installed"
libdir=$(dirname "$(dirname "$pc")")
version=$(awk '/^#define RP_VERSION_(MAJOR|MINOR|PATCH) / { printf "%s%s", dot, $3; dot = "." }' \
    "$source_tree/include/rockpress/version.h")

# needs_shared <program>: whether it loads librockpress.so
needs_shared()
{
    readelf -d "$1" | grep -qF '(NEEDED)' || fail "$1: readelf shows no library"
    readelf -d "$1" | grep -qE '\(NEEDED\).*librockpress\.so'
}

# move_installation <name>: the programs that are made later find it elsewhere
move_installation()
{
    mv "$prefix" "$work/$1"
    libdir=$work/$1${libdir#"$prefix"}
    prefix=$work/$1
}
