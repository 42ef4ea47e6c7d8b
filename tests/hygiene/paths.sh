#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# paths.sh <tree>: no text file names a directory of somebody's machine.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname "$0")/common.sh"
cd "$1"

# As the first component of an absolute path; what stands before may not make it a relative one.
folders='work|root|home|Users'
pattern="(^|[^A-Za-z0-9_.})*-])/($folders)(/|\$|[^A-Za-z0-9_./-])"
n=0
while IFS= read -r file; do
    n=$((n + 1))
    while IFS= read -r hit; do
        violation "$file:$hit"
    done < <(grep -nIE "$pattern" "$file" || true)
done < <(project_files)
finish $n files
