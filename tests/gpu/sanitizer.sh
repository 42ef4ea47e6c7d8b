#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sanitizer.sh <memcheck|racecheck|synccheck|initcheck> <program> [arguments]: the program under compute-sanitizer
# has no finding. Skips (77) without the tool, and where the program skips, for want of a GPU.
#
# One kind of race is meant: workers that store to one table entry at the same time (team_atomic_store16), of which
# any may be the last; the kernel looks who it was. Where so much is inlined that the tool names the kernel alone, it
# is an instruction of the kernel that has nothing but tables in shared memory, racing with itself. SANITIZER names the
# tool, for tests of this script.
set -euo pipefail
tool=$1
shift
sanitizer=${SANITIZER:-compute-sanitizer}
command -v "$sanitizer" >/dev/null || { echo "no $sanitizer"; exit 77; }
status=0
"$1" "${@:2}" >/dev/null 2>&1 || status=$?
[ $status -eq 0 ] || { echo "without the tool: status $status"; exit $status; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$sanitizer" --tool "$tool" --error-exitcode 9 --print-limit 100000 "$@" >"$log" 2>&1 || status=$?
if [ "$tool" = racecheck ] && [ $status -eq 9 ]; then
    races=$(grep -c 'Race reported between' "$log") || true
    # A finding is two lines, one for each of the two accesses; both have to be such a store.
    meant=$(awk '
        /Race reported between Write access at/ { first = $0; sub(/.*Write access at /, "", first); next }
        first != "" && /and Write access at/ {
            second = $0; sub(/.*Write access at /, "", second); sub(/ *\[.*/, "", second); sub(/ *$/, "", first)
            store = index(first, "team_atomic_store16(") == 1 && index(second, "team_atomic_store16(") == 1
            itself = index(first, "rp_lz77_candidates_kernel(") == 1 && first ~ /\+0x[0-9a-f]+$/ && first == second
            n += store || itself
        }
        { first = "" }
        END { print n + 0 }' "$log")
    if [ "$races" -gt 0 ] && [ "$races" -eq "$meant" ] && ! grep -q 'Invalid\|Program hit' "$log"; then
        echo "$races races, all meant"
        status=0
    fi
fi
[ $status -eq 0 ] || tail -n 40 "$log"
exit $status
