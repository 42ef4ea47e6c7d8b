#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# symbols.sh <shared library> [hook]: it exports names that start with rp_ only; the hook also
# exports functions of zstd's C interface, each of which the real libzstd has or a later one will, and
# dlclose, which may unload one.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname "$0")/common.sh"
library=$1
kind=${2:-plain}

# exported <library>: names without symbol versions
exported()
{
    nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $NF); print $NF }' | sort -u
}

# Functions that came after zstd 1.5.4, the oldest that the project is tested with.
later='ZSTD_CCtx_setFParams ZSTD_CCtx_setParams'

zstd=
if [ "$kind" = hook ]; then
    # As the dynamic linker finds it for the hook itself.
    path=$(ldd "$library" | awk '/libzstd\.so/ { print $3 }')
    [ -n "$path" ] || path=$("${CC:-cc}" -print-file-name=libzstd.so.1)
    [ -f "$path" ] || skip "libzstd.so.1 is not installed"
    zstd=$(exported "$path")
fi

n=0
hooked=0
while IFS= read -r name; do
    n=$((n + 1))
    case $kind:$name in
    *:rp_* | hook:dlclose) ;;
    hook:ZSTD_* | hook:ZDICT_*)
        hooked=$((hooked + 1))
        grep -qxF -- "$name" <<<"$zstd" || [[ " $later " == *" $name "* ]] || violation "$library: libzstd has no $name to hook"
        ;;
    *) violation "$library: exports $name" ;;
    esac
done < <(exported "$library")
[ "$kind" != hook ] || [ $hooked -gt 0 ] || violation "$library: hooks nothing of zstd"
finish $n 'exported symbols'
