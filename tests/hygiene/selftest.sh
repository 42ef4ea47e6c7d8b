#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each check refuses what it is there to refuse: samples with one fault each are planted in a
# directory of their own, next to good ones, and the check must find exactly the fault.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
samples=$(mktemp -d)
trap 'rm -rf "$samples"' EXIT
tested=0
wrong=0
skipped=0

# Begins a new, empty sample tree.
new_tree()
{
    tree=$samples/$((++tested))
    mkdir "$tree"
}

# plant <path> <line>...: a file of the sample
plant()
{
    local path=$tree/$1
    shift
    mkdir -p "$(dirname "$path")"
    printf '%s\n' "$@" >"$path"
}

run_check()
{
    local status=0
    answer=$("$here/$1.sh" "${@:2}" 2>&1) || status=$?
    if [ $status -eq 77 ]; then
        printf '%s: %s\n' "$1" "$answer"
        skipped=$((skipped + 1))
    fi
    return $status
}

# accepts <check> [argument...]
accepts()
{
    local status=0
    run_check "${@:1:1}" "${@:2}" || status=$?
    if [ $status -ne 0 ] && [ $status -ne 77 ]; then
        printf 'WRONG: %s refused a good sample: %s\n' "$1" "$answer"
        wrong=$((wrong + 1))
    fi
}

# refuses <text of the reason> <check> [argument...]
refuses()
{
    local status=0 reason=$1
    shift
    run_check "$@" || status=$?
    [ $status -ne 77 ] || return 0
    if [ $status -ne 1 ] || [[ $answer != *"$reason"* ]] || [[ $answer != *'1 violations'* ]]; then
        printf 'WRONG: %s: status %d instead of 1 and "%s": %s\n' "$1" $status "$reason" "$answer"
        wrong=$((wrong + 1))
    fi
}

spdx='/* SPDX-License-Identifier: Apache-2.0 */'

# A check that finds nothing to look at fails.
for check in headers arrows cases format spdx length paths shellcheck; do
    new_tree
    if run_check $check "$tree"; then
        printf 'WRONG: %s accepted an empty tree\n' $check
        wrong=$((wrong + 1))
    fi
done

new_tree
plant include/rockpress/good.h '#include <stddef.h>' 'size_t rp_f(void);'
accepts headers "$tree"
# Refused by several compilers, so the number of violations varies.
while IFS='|' read -r compiler guard line; do
    new_tree
    plant include/rockpress/bad.h "$guard" "$line"
    if run_check headers "$tree" || [[ $answer != *"include/rockpress/bad.h: $compiler "* ]]; then
        printf 'WRONG: headers accepted "%s": %s\n' "$line" "$answer"
        wrong=$((wrong + 1))
    fi
done <<'SAMPLES'
gcc -x c -std=c11:|#pragma once|static inline size_t rp_f(void) { return 0; }
gcc -x c -std=c11:|#pragma once|static int rp_f(void) { return 0; }
gcc -x c++ -std=c++17:|#pragma once|int rp_f(int class);
gcc -x c -std=c11:||struct rp_s { int member; };
SAMPLES

new_tree
plant include/rockpress/a.h '#include "rockpress/b.h"' '#include <stdint.h>'
plant kernels/match/a.h '#include "rockpress/a.h"' '#include "kernels/base/b.h"' '#include "neighbour.h"' \
    '#include "kernels/match/b.h"'
plant kernels/cuda/a.cu '#include <cuda_runtime.h>' '__global__ void f(void) {}'
plant kernels/cuda/launch.c '#include <cuda_runtime_api.h>'
plant engine/a.c '#include "kernels/a.h"' '#include "engine/b.h"'
plant engine/cuda/device.c '#include <cuda_runtime_api.h>' '#include "engine/cuda/errors.h"' \
    '#include "engine/cuda/module.h"' '#include "kernels/cuda/launch.h"'
plant engine/cuda_loader.c '#include "engine/cuda/module.h"' '#include "kernels/cuda/schedule.h"'
plant engine/b.c '/* never <<<>>> and __global__ here */' 'int x = 1 << 3;'
plant plugin/route/a.c '#include "rockpress/a.h"' '#include "plugin/core/b.h"' '#include "neighbour.h"' \
    '#include "plugin/route/b.h"' '#include <zstd.h>'
plant plugin/rocksdb/rocksdb_adapter.cc '#include <rocksdb/advanced_compression.h>'
plant tests/a.c '#include "kernels/a.h"' '#include <rocksdb/c.h>'
plant tests/gpu/a.cu '#include "kernels/a.h"' '__global__ void f(void) {}'
accepts arrows "$tree"
while read -r file include; do
    new_tree
    plant "$file" "$spdx" "#  include $include"
    refuses "$file:2: may not include ${include:1:-1}" arrows "$tree"
done <<'SAMPLES'
include/rockpress/a.h "engine/a.h"
include/rockpress/a.h "kernels/a.h"
include/rockpress/a.h "../../engine/a.h"
include/rockpress/a.h <rocksdb/c.h>
include/rockpress/a.h <cuda_runtime.h>
kernels/a.h "plugin/a.h"
kernels/a.h "engine/a.h"
kernels/a.h <rocksdb/c.h>
kernels/a.h <cuda_runtime_api.h>
kernels/cuda/schedule.h <cuda_runtime_api.h>
kernels/match/a.h "kernels/frame/a.h"
kernels/team/a.h "kernels/base/a.h"
kernels/base/a.h "kernels/a.h"
engine/a.c "plugin/a.h"
engine/a.c <rocksdb/c.h>
engine/a.c <cuda.h>
engine/cuda_loader.c <cuda_runtime_api.h>
engine/cuda/module.h <cuda_runtime_api.h>
engine/a.c "engine/cuda/errors.h"
engine/a.c "kernels/cuda/launch.h"
engine/cuda/device.c "engine/check.h"
engine/a.c "../plugin/a.h"
plugin/core/a.c "plugin/device/a.h"
plugin/batch/a.c "plugin/route/a.h"
plugin/route/a.c "plugin/a.h"
plugin/a.c "engine/a.h"
plugin/a.c "kernels/a.h"
plugin/a.c <cuda_runtime.h>
plugin/a.c <rocksdb/c.h>
engine/a.c "tests/support/a.h"
plugin/a.c "bench/a.h"
SAMPLES
new_tree
plant kernels/cuda/launch.c 'int x;' '__global__ void f(void);'
refuses 'kernels/cuda/launch.c: __global__' arrows "$tree"
new_tree
plant kernels/team/team.h 'int x;' '__global__ void f(void);'
refuses 'kernels/team/team.h: __global__' arrows "$tree"
new_tree
plant engine/cuda/device.cu 'void f(void) { g<<<1, 2>>>(); }'
refuses 'engine/cuda/device.cu: __global__' arrows "$tree"
new_tree
plant tests/gpu/a.c 'int x;' '__global__ void f(void);'
refuses 'tests/gpu/a.c: __global__' arrows "$tree"

new_tree
plant .clang-format 'BasedOnStyle: LLVM' 'IndentWidth: 4'
plant a.c 'int f(void)' '{' '        return 0;' '}'
refuses 'a.c:' format "$tree"
plant a.c 'int f(void) { return 0; }'
accepts format "$tree"

new_tree
plant a.c "$spdx"
plant b.sh '#!/bin/sh' '# SPDX-License-Identifier: Apache-2.0'
plant CMakeLists.txt '# SPDX-License-Identifier: Apache-2.0'
plant data.tsv 'no licence here'
accepts spdx "$tree"
while IFS='|' read -r file first second; do
    new_tree
    plant "$file" "$first" "$second"
    refuses "$file:" spdx "$tree"
done <<'SAMPLES'
a.c|int x;|/* SPDX-License-Identifier: Apache-2.0 */
a.h|/* SPDX-License-Identifier: MIT */|int x;
tests/CMakeLists.txt|add_test()|# SPDX-License-Identifier: Apache-2.0
scripts/run|#!/bin/sh|true
SAMPLES

new_tree
plant tests/support/cases.h 'skip();'
plant tests/a.c 'skip_case("why");' 'rp_skip();' 'int n_skip = 1;'
accepts cases "$tree"
while read -r line; do
    new_tree
    plant tests/unit/a.c "$spdx" "    $line"
    refuses 'tests/unit/a.c:2:' cases "$tree"
done <<'SAMPLES'
skip();
_skip(__FILE__, __LINE__);
return cmocka_run_group_tests(tests, NULL, NULL);
return cmocka_run_group_tests_name("a", tests, NULL, NULL);
SAMPLES

# shellcheck disable=SC2016 # these are scripts
{
    new_tree
    plant scripts/a '#!/usr/bin/env bash' 'echo "$1"'
    plant scripts/b '#!/usr/bin/env python3' 'echo $1'
    accepts shellcheck "$tree"
    plant scripts/a '#!/usr/bin/env bash' 'echo $1'
    refuses 'scripts/a:2:' shellcheck "$tree"
    new_tree
    plant a.sh '#!/bin/sh' 'cd x; ls'
    refuses 'a.sh:2:' shellcheck "$tree"
}

# plant_commands: as CMake writes them, for the one source of the sample
plant_commands()
{
    plant build/compile_commands.json '[' '{' "  \"directory\": \"$tree\"," \
        "  \"command\": \"cc -c $tree/cli/a.c\"," "  \"file\": \"$tree/cli/a.c\"" '}' ']'
}

new_tree
plant_commands
cp "$here/../../.clang-tidy" "$tree"
plant cli/a.c 'int f(int x);' 'int f(int x)' '{' '    return x + 1;' '}'
accepts tidy "$tree" "$tree/build" cli
plant cli/a.c 'int f(int x);' 'int f(int x)' '{' '    int y = 0;' '    return x / y;' '}'
refuses 'cli/a.c:5:' tidy "$tree" "$tree/build" cli
plant cli/a.c '#include "missing.h"'
refuses 'cli/a.c:1:' tidy "$tree" "$tree/build" cli

# The names are put together here, so that the check finds nothing in this file.
new_tree
plant a.md "see https://example.org$(printf /%s work)/a, rel$(printf /%s root)/b and /usr/lib"
accepts paths "$tree"
for folder in work root home; do
    new_tree
    plant docs/a.md 'good' "run$(printf ' /%s' $folder)/x/y"
    refuses 'docs/a.md:2:' paths "$tree"
    new_tree
    plant a.c "char *p = \"$(printf '/%s' $folder)\";"
    refuses 'a.c:1:' paths "$tree"
done

new_tree
plant a.c "$(seq 799)"
accepts length "$tree"
plant a.c "$(seq 800)"
refuses 'a.c:800:' length "$tree"

# make_library <source line> [option...]: builds $tree/lib.so
make_library()
{
    new_tree
    plant lib.c "$1"
    "${CC:-cc}" -shared -fPIC -o "$tree/lib.so" "$tree/lib.c" "${@:2}"
}
hooked='int ZSTD_freeCCtx(void *c) { return c != 0; }'
make_library 'int rp_a(void) { return 0; }'
accepts symbols "$tree/lib.so"
accepts needed "$tree/lib.so"
make_library "int rp_a(void) { return 0; } int helper(void) { return 0; }"
refuses 'exports helper' symbols "$tree/lib.so"
make_library "int rp_a(void) { return 0; } $hooked"
refuses 'exports ZSTD_freeCCtx' symbols "$tree/lib.so"
accepts symbols "$tree/lib.so" hook
make_library "$hooked int ZSTD_freeCCtxx(void) { return 0; }"
refuses 'no ZSTD_freeCCtxx' symbols "$tree/lib.so" hook
make_library 'int rp_a(void) { return 0; }'
refuses 'hooks nothing' symbols "$tree/lib.so" hook
for needed in libcudart.so.12 libcuda.so.1 librocksdb.so.7.8 libstdc++.so.6; do
    make_library 'int rp_f(void) { return 0; }' -Wl,-soname,$needed
    dependency=$tree/lib.so
    make_library 'int rp_f(void); int rp_g(void) { return rp_f(); }' -Wl,--no-as-needed "$dependency"
    refuses "needs $needed" needed "$tree/lib.so"
done
for open in cuInit cudaMalloc __cudaRegisterFatBinary _Znwm __cxa_throw; do
    make_library "void $open(void); void rp_f(void) { $open(); }"
    refuses "leaves $open open" needed "$tree/lib.so"
done

# Of thread-local storage 128 bytes, and nothing of CUDA in a library or in an archive.
make_library '_Thread_local char rp_state[128]; int rp_f(void) { return rp_state[5]; }'
accepts footprint "$tree/lib.so"
make_library '_Thread_local char rp_state[129]; int rp_f(void) { return rp_state[5]; }'
refuses '129 bytes of thread-local storage' footprint "$tree/lib.so"
for name in cudaMalloc cuInit __cudaRegisterFatBinary nvPTXCompilerCreate; do
    make_library "static int $name(void) { return 1; } int rp_f(void) { return $name(); }" -O0
    refuses "has $name" footprint "$tree/lib.so"
    "${CC:-cc}" -c -O0 -o "$tree/lib.o" "$tree/lib.c"
    ar rc "$tree/lib.a" "$tree/lib.o"
    refuses "has $name" footprint "$tree/lib.a"
done
make_library '__attribute__((section(".nv_fatbin"))) int rp_code = 1; int rp_f(void) { return rp_code; }'
refuses 'has the section .nv_fatbin' footprint "$tree/lib.so"
make_library 'int rp_f(void) { return 1; }' -s
refuses 'no symbols' footprint "$tree/lib.so"

printf '%d samples, %d wrong, %d skipped\n' $tested $wrong $skipped
[ $wrong -eq 0 ] || exit 1
# A check whose tool is not there was not tried, so this has not passed.
[ $skipped -eq 0 ] || exit 77
