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
mapfile -t files < <(project_files)
while IFS= read -r hit; do
    violation "$hit"
done < <(grep -nIHE "$pattern" -- "${files[@]}" /dev/null || true)
finish ${#files[@]} files
