#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tidy.sh <tree> <build directory> <folder>...: clang-tidy, as .clang-tidy sets it up, finds nothing
# in the C sources of these folders, and in our headers that they include, as the build compiles them.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname "$0")/common.sh"
tree=$1 build=$2
shift 2

command -v clang-tidy >/dev/null || skip "no clang-tidy"
[ -f "$build/compile_commands.json" ] || skip "no compile_commands.json"
folders=$(IFS='|' && printf '%s' "$*")
mapfile -t files < <(sed -nE "s#^ *\"file\": \"($tree/($folders)/.*\\.c)\",?\$#\\1#p" \
    "$build/compile_commands.json" | sort -u)
[ ${#files[@]} -gt 0 ] || finish 0 sources
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
printf '%s\n' "${files[@]}" | xargs -P 2 -n 4 clang-tidy -p "$build" --quiet >"$log" 2>&1 ||
    status=$?
while IFS= read -r line; do
    violation "${line#"$tree/"}"
done < <(grep -E ': (error|warning): ' "$log" | sort -u)
# It ends with an error of its own where it cannot work.
[ $status -eq 0 ] || [ $violations -gt 0 ] || violation "clang-tidy: $(tail -n 1 "$log")"
finish ${#files[@]} sources
