#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sanitizer.sh <memcheck|racecheck|synccheck|initcheck> <program> [arguments]: the program under compute-sanitizer
# has no finding. Skips (77) without the tool, and where the program skips, for want of a GPU. SANITIZER names the tool,
# for tests of this script.
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
# The tool's exit status is about errors, and some races are warnings.
if [ $status -eq 0 ] && grep -q 'Race reported' "$log"; then
    status=9
fi
[ $status -eq 0 ] || tail -n 40 "$log"
exit $status
