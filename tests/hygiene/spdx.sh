#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# spdx.sh <tree>: the licence stands in the first line of each source file and build file, and in
# the second of each script, below the interpreter's.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname "$0")/common.sh"
cd "$1"

n=0
while IFS= read -r file; do
    first='' second=''
    { IFS= read -r first && IFS= read -r second; } <"$file" || true
    where=1
    [[ $first != '#!'* ]] || where=2
    case $file in
    *.c | *.h | *.cc | *.cu | *.cuh | *.sh | *.py | *.mk | *.cmake | CMakeLists.txt | */CMakeLists.txt) ;;
    *) [ $where = 2 ] || continue ;;
    esac
    n=$((n + 1))
    [ $where = 1 ] || first=$second
    [[ $first =~ ^('/*'|//|'#')\ SPDX-License-Identifier:\ Apache-2\.0(\ \*/)?$ ]] ||
        violation "$file:$where: here belongs SPDX-License-Identifier: Apache-2.0"
done 2>/dev/null < <(project_files)
finish $n 'source files and scripts'
