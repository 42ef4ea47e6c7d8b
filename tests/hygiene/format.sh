#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# format.sh <tree>: clang-format would change nothing. Only version 14 is asked, as others break
# lines differently. The RocksDB adapter follows RocksDB's style, which is Google's.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname "$0")/common.sh"
cd "$1"

tool=
for candidate in clang-format-14 clang-format; do
    case $($candidate --version 2>/dev/null) in
    *'version 14.'*) tool=$candidate && break ;;
    esac
done
[ -n "$tool" ] || skip "no clang-format of version 14"

n=0
while IFS= read -r file; do
    n=$((n + 1))
    style="file"
    [[ $file != plugin/rocksdb/rocksdb_adapter.* ]] || style="Google"
    if ! output=$($tool --style=$style --dry-run -Werror "$file" 2>&1); then
        violation "$(head -n 1 <<<"$output")"
    fi
done < <(project_files | grep -E '\.(c|h|cc|cu|cuh)$' || true)
finish $n 'source files'
