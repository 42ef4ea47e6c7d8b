#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cases.sh <tree>: only tests/support/cases.h calls cmocka's skip() and runs its groups. A case that
# skips inside a process that passes looks to ctest as if it had passed.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname "$0")/common.sh"
cd "$1"

mapfile -t files < <(project_files | grep -E '^tests/.*\.(c|h|cc|cu)$' | grep -vxF tests/support/cases.h)
while IFS= read -r hit; do
    violation "$hit: use skip_case() and RUN_CASES() of tests/support/cases.h"
done < <(grep -nE '(^|[^A-Za-z0-9_])(_?skip[[:space:]]*\(|_?cmocka_run_group_tests)' "${files[@]}" /dev/null |
    cut -d : -f 1,2)
finish ${#files[@]} 'sources of tests'
