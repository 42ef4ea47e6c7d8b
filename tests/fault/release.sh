#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# release.sh <hook with faults> <command rockpress> <released library>...: no released library has anything
# of the device that makes faults, and its name is answered as any other unknown one.
set -euo pipefail
unset LD_PRELOAD "${!ROCKPRESS_@}"
with_faults=$1 command=$2
shift 2

# What the device cannot do without: its name, its functions, the words of its plans.
pattern='fault:SEED|injecting_|injection_plan|__wrap_rp_|threaded_device|is no kind of fault'

# has_faults <library>: whether it has any of it, in its code, its data or its symbols
has_faults()
{
    grep -qaE "$pattern" "$1"
}

fail()
{
    printf 'FAILED: %s\n' "$*"
    exit 1
}

has_faults "$with_faults" || fail "the pattern does not even find $with_faults"
for library in "$@"; do
    [ -s "$library" ] || fail "$library: is not there"
    ! has_faults "$library" || fail "$library: has $(grep -aoE "$pattern" "$library" | sort -u | head -n 3)"
done

expected='ROCKPRESS_DEVICE=fault:1:none is not understood; allowed: auto, cuda, cuda:N, host, off'
answer=$(ROCKPRESS_DEVICE=fault:1:none "$command" info) || true
[[ $answer == *"$expected"* ]] || fail "$command info: $answer"
printf '%d libraries have nothing of it\n' $#
