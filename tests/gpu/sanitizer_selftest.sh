#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sanitizer_selftest.sh: sanitizer.sh passes on what it should and fails on all else, with a tool that prints what
# it is told.
set -euo pipefail
script=$(dirname "$0")/sanitizer.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/tool" <<'END'
#!/bin/sh
cat "$FINDINGS"
exit "$FOUND"
END
chmod +x "$work/tool"
wrong=0

# expect <status> <tool> <status of the tool> <program>; findings on stdin
expect()
{
    local expected=$1 tool=$2 found=$3 program=$4 status=0
    cat >"$work/findings"
    SANITIZER=$work/tool FINDINGS=$work/findings FOUND=$found "$script" "$tool" "$program" >"$work/log" 2>&1 || status=$?
    if [ $status -ne "$expected" ]; then
        printf 'WRONG: %s, %s: status %d instead of %d\n' "$tool" "$program" $status "$expected"
        wrong=1
    fi
}
expect 0 memcheck 0 true </dev/null
expect 0 racecheck 0 true </dev/null
expect 9 memcheck 9 true <<<'Invalid __global__ read'
expect 9 racecheck 9 true <<<'Error: Race reported between Write access at store()+0x10'
expect 9 racecheck 0 true <<<'Warning: Race reported between Read access at load()+0x10'
expect 9 initcheck 9 true </dev/null
expect 1 memcheck 0 false </dev/null
status=0
SANITIZER=$work/none "$script" memcheck true >/dev/null || status=$?
[ $status -eq 77 ] || wrong=1
exit $wrong
