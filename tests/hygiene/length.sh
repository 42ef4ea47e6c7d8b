#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# length.sh <tree>: no source file reaches 800 lines. One idea per file.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname "$0")/common.sh"
cd "$1"

n=0
while IFS= read -r file; do
    n=$((n + 1))
    lines=$(wc -l <"$file")
    [ "$lines" -lt 800 ] || violation "$file:$lines: too long, fewer than 800 lines are allowed"
done < <(project_files | grep -E '\.(c|h|cc|cu|cuh|sh|py|cmake)$|^scripts/' || true)
finish $n 'source files'
