#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# arrows.sh <tree>: which folder may include what (docs/architecture.md), that CUDA is used by
# librockpress_cuda.so only, and that the syntax of CUDA kernels and launches stands in kernels/cuda/ only,
# and in the tests that need kernels of their own: of the collectives, which no program but a kernel can
# call, and of a kernel that traps.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname "$0")/common.sh"
cd "$1"

# includes <file>: line number and name of each #include, with its quote or bracket
includes()
{
    sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*(["<][^">]*)[">].*/\1/; T; =; p' "$1" |
        paste -d ' ' - -
}

# Inside these, a folder includes itself and those before it in its list.
kernels_order=(team base entropy match literals sequences frame decode fused cuda)
plugin_order=(core zstd device batch route hook rocksdb)

# is_before <file> <name> <folders...>: whether the folder of what is included is at or before the file's
is_before()
{
    local from=${1#*/} to=${2#*/} folder
    shift 2
    from=${from%%/*} to=${to%%/*}
    for folder in "$@"; do
        [ "$folder" != "$to" ] || return 0
        [ "$folder" != "$from" ] || return 1
    done
    return 1
}

# may_include <file> <name>: the arrows
may_include()
{
    local file=$1 name=$2 folder=${1%%/*} top=${2%%/*}
    case $name in
    rocksdb/*) [[ $file == plugin/rocksdb/rocksdb_adapter.* ]] && return 0 || return 1 ;;
    cuda* | cub/* | thrust/* | cooperative_groups*)
        [[ $file == engine/cuda/*.c || $file == kernels/cuda/*.cu* || $file == kernels/cuda/launch.c ]] && return 0 || return 1
        ;;
    # engine/cuda/ is the other library, and this all that the two have of each other.
    engine/cuda/module.h) ;;
    engine/cuda/* | kernels/cuda/launch.h | kernels/cuda/kernels.h)
        [[ $file == engine/cuda/* || $file == kernels/cuda/* ]] || return 1
        ;;
    engine/*) [[ $file != engine/cuda/* ]] || return 1 ;;
    esac
    # The verifier of frames shares no format, table or hash with the encoder that makes them.
    if [[ $file == kernels/decode/* ]]; then
        case $name in
        kernels/decode/* | kernels/team/* | rockpress/*) return 0 ;;
        kernels/base/memory.h | kernels/base/stages.h | kernels/base/entry_points.h | kernels/base/log2.h) return 0 ;;
        esac
        return 1
    fi
    case $folder:$top in
    *:rockpress) return 0 ;;
    kernels:kernels)
        is_before "$file" "$name" "${kernels_order[@]}"
        return
        ;;
    plugin:plugin)
        is_before "$file" "$name" "${plugin_order[@]}"
        return
        ;;
    engine:kernels | engine:engine) return 0 ;;
    *:kernels | *:engine | *:plugin | *:bench | *:tests) return 1 ;;
    esac
    # A name without a folder is a neighbour; '..' would lead around the arrows.
    [[ $name != *..* ]]
}

# Whether a file uses the syntax outside of comments, which the compiler's preprocessor removes.
uses_cuda_syntax()
{
    grep -qE '__global__|<<<' "$1" || return 1
    "${CC:-cc}" -x c -fpreprocessed -dD -E -w "$1" | grep -E '__global__|<<<' >/dev/null
}

n=0
while IFS= read -r file; do
    n=$((n + 1))
    case $file in
    include/* | kernels/* | engine/* | plugin/*)
        while read -r line name; do
            may_include "$file" "${name:1}" ||
                violation "$file:$line: may not include ${name:1}"
        done < <(includes "$file")
        ;;
    esac
    case $file in
    kernels/cuda/*.cu | kernels/cuda/*.cuh | tests/gpu/*.cu) ;;
    *)
        ! uses_cuda_syntax "$file" ||
            violation "$file: __global__ and <<<>>> belong into kernels/cuda/*.cu or tests/gpu/*.cu"
        ;;
    esac
done < <(project_files | grep -E '\.(c|h|cc|cu|cuh)$' || true)
finish $n 'source files'
