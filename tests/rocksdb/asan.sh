#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# asan.sh <tree> <hook>: a program with AddressSanitizer and the hook, in the ways that docs/operations.md
# names. Each time the device compresses its block, and ASan finds the program's error.
set -euo pipefail
tree=$1 hook=$2
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
need gcc

cat >"$work/program.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
int main(int argc, char **argv)
{
    static char block[8192], frame[9000], decoded[8192];
    char *bytes = malloc(10);
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    size_t size;
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = "some keys and values"[i * 7 % 20];
    size = ZSTD_compressCCtx(cctx, frame, sizeof(frame), block, sizeof(block), 3);
    ZSTD_freeCCtx(cctx);
    if (bytes == NULL || ZSTD_decompress(decoded, sizeof(decoded), frame, size) != sizeof(block) ||
        memcmp(block, decoded, sizeof(block)) != 0)
        return 2;
    memset(bytes, 'x', argc > 1 ? (size_t)atoi(argv[1]) : 10);
    printf("%c\n", bytes[0]);
    free(bytes);
    return 0;
}
END

# works <name> <command...>: without an error, and with one
works()
{
    local name=$1
    shift
    rm -f "$work/stats"
    env ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device ROCKPRESS_STATS="$work/stats" "$@" >"$work/log" 2>&1 ||
        fail "$name: $(head -n 3 "$work/log")"
    expect_counter blocks_total direct -eq 1
    ! env ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device "$@" 11 >"$work/log" 2>&1 || fail "$name: ASan found nothing"
    grep -q 'ERROR: AddressSanitizer: heap-buffer-overflow' "$work/log" ||
        fail "$name: $(head -n 3 "$work/log")"
    printf '%s: one block, one error found\n' "$name"
}

gcc -g -fsanitize=address -o "$work/shared" "$work/program.c" -lzstd 2>"$work/log" ||
    skip "gcc does not build with ASan: $(head -n 1 "$work/log")"
"$work/shared" >"$work/log" 2>&1 || skip "ASan does not work here: $(head -n 1 "$work/log")"
libasan=$(gcc -print-file-name=libasan.so)
if env LD_PRELOAD="$hook" "$work/shared" >"$work/log" 2>&1; then
    fail 'ASan accepts to come second: docs/operations.md says that it does not'
fi
grep -q 'does not come first' "$work/log" || fail "another message: $(head -n 3 "$work/log")"
works 'ASan first' env LD_PRELOAD="$libasan $hook" "$work/shared"
works 'order not verified' env ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD="$hook" "$work/shared"
gcc -g -fsanitize=address -o "$work/linked" "$work/program.c" "$hook" -Wl,-rpath,"$(dirname "$hook")" -lzstd
works linked "$work/linked"
if gcc -g -fsanitize=address -static-libasan -o "$work/static" "$work/program.c" -lzstd 2>"$work/log"; then
    works 'ASan linked statically' env LD_PRELOAD="$hook" "$work/static"
fi
