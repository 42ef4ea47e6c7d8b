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
store='Write access at team_atomic_store16(unsigned short *, unsigned short)+0x10 in team/team_cuda.h:1'
expect 0 memcheck 0 true </dev/null
expect 9 memcheck 9 true <<<'Invalid __global__ read'
expect 1 memcheck 0 false </dev/null
expect 0 racecheck 9 true <<<"Error: Race reported between $store
    and $store [3 hazards]"
expect 9 racecheck 9 true <<<"Error: Race reported between $store
    and Read access at rp_lz77_exchange()+0x10 [3 hazards]"
expect 9 racecheck 9 true <<<"Error: Race reported between Write access at rp_lz77_note()+0x20
    and $store [3 hazards]"
expect 9 racecheck 9 true <<<"Error: Race reported between $store
    and $store
Error: Race reported between Write access at other()
    and Write access at other()"
kernel='Write access at rp_lz77_candidates_kernel(rp_stage_args)'
expect 0 racecheck 9 true <<<"Error: Race reported between $kernel+0x10
    and $kernel+0x10 [3 hazards]
Error: Race reported between $store
    and $store [3 hazards]"
expect 9 racecheck 9 true <<<"Error: Race reported between $kernel+0x10
    and $kernel+0x20 [3 hazards]"
expect 9 racecheck 9 true <<<"Error: Race reported between $kernel+0x10
    and Read access at rp_lz77_candidates_kernel(rp_stage_args)+0x10 [3 hazards]"
other='Write access at rp_lz77_join_kernel(rp_stage_args)+0x10'
expect 9 racecheck 9 true <<<"Error: Race reported between $other
    and $other [3 hazards]"
expect 9 racecheck 9 true <<<'nothing'
expect 9 initcheck 9 true <<<"Error: Race reported between $store
    and $store"
status=0
SANITIZER=$work/none "$script" memcheck true >/dev/null || status=$?
[ $status -eq 77 ] || wrong=1
exit $wrong
