# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the checks share. Each check is run as <check>.sh <argument>..., prints one line
# file:line: reason per violation, and exits with 0 (clean), 1 (violations) or 77 (skipped).

export LC_ALL=C
violations=0

violation()
{
    printf '%s\n' "$*"
    violations=$((violations + 1))
}

# Ends a check. A check that has looked at nothing has found nothing out: that fails, too.
finish()
{
    local looked_at=$1 what=$2
    if [ "$looked_at" -eq 0 ]; then
        printf 'no %s to check\n' "$what"
        exit 1
    fi
    if [ "$violations" -gt 0 ]; then
        printf '%d violations in %d %s\n' "$violations" "$looked_at" "$what"
        exit 1
    fi
    printf '%d %s checked\n' "$looked_at" "$what"
    exit 0
}

skip()
{
    printf 'skipped: %s\n' "$*"
    exit 77
}

# The project's files below the current directory: what git tracks or would track. In a tree
# without git (an unpacked archive, a planted sample), all files but those of builds.
project_files()
{
    if [ "$(git -c safe.directory='*' rev-parse --show-toplevel 2>/dev/null)" = "$(pwd -P)" ]; then
        git -c safe.directory='*' -c core.quotePath=off ls-files --cached --others \
            --exclude-standard
    else
        find . -type f -not -path './.git/*' -not -path './build*/*' -printf '%P\n'
    fi | sort -u | while IFS= read -r file; do
        if [ -f "$file" ]; then printf '%s\n' "$file"; fi
    done
}
