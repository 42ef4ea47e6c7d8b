#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: shellcheck.sh <tree>: the tool of that name has nothing to say about any shell script, as
# .shellcheckrc sets it up.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname "$0")/common.sh"
cd "$1"

command -v shellcheck >/dev/null || skip "no shellcheck"

# By the suffix, or by the first line.
mapfile -t scripts < <(project_files | while IFS= read -r file; do
    case $file in
    *.sh) printf '%s\n' "$file" ;;
    *.*) ;;
    *)
        IFS= read -r first <"$file" || true
        [[ ! $first =~ ^#!.*[/\ ](bash|sh)$ ]] || printf '%s\n' "$file"
        ;;
    esac
done 2>/dev/null)
[ ${#scripts[@]} -gt 0 ] || finish 0 scripts
while IFS= read -r line; do
    violation "$line"
done < <(shellcheck --format=gcc "${scripts[@]}" || true)
finish ${#scripts[@]} scripts
