#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# headers.sh <tree>: every public header compiles alone, twice in one file, as C11 and as C++17,
# without a warning, with each compiler that is there.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname "$0")/common.sh"
cd "$1"

warnings=(-Wall -Wextra -pedantic -Werror)
n=0
while IFS= read -r header; do
    n=$((n + 1))
    include="#include \"${header#include/}\""
    for compiler in gcc clang; do
        command -v $compiler >/dev/null || continue
        for language in 'c -std=c11' 'c++ -std=c++17'; do
            # g++ may be missing where gcc is not; nothing can be said about C++ then.
            if [ "${language%% *}" = c++ ] && ! $compiler -x c++ -fsyntax-only /dev/null 2>&1; then
                continue
            fi
            # shellcheck disable=SC2086 # the language is two arguments
            if ! output=$(printf '%s\n' "$include" "$include" 'extern int not_empty;' |
                $compiler -x $language "${warnings[@]}" -Iinclude -S -o /dev/null - 2>&1); then
                violation "$header: $compiler -x $language: $(head -n 3 <<<"$output")"
            fi
        done
    done
done < <(project_files | grep -E '^include/.*\.h$' || true)
finish $n headers
