#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# several_zstd.sh <tree> <hook>: a process with several libzstd. Each call reaches the one that it reaches
# without the hook, which is shown first. The libraries are made up (library.c), so that a single wrong
# call ends the process; TEST_ZSTDS may name real ones: shared objects that export the function
# int work(unsigned seed, int rounds), which uses the libzstd that they have inside.
set -euo pipefail
tree=$1 hook=$2
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
need cc

cd "$work"
flags=(-O1 -foptimize-sibling-calls -fPIC -w)
# library <file> <tag> <release> [flag...]
library()
{
    cc "${flags[@]}" -shared -DTAG="$2" -DRELEASE="$3" -o "$1" "$tree/tests/several_zstd/library.c" "${@:4}"
}
library one.so 1 10505
library two.so 2 10507 -Wl,--hash-style=sysv
library three.so 3 10400
library four.so 4 10409
library five.so 5 10304 # only forwarded to
library libsix.so 6 10502 -DONLY_LIBRARY -Wl,-soname,libsix.so
library needs.so 6 10502 -DONLY_CLIENT -Wl,--no-as-needed -L. -lsix -Wl,-rpath,"$work"
library bare.so 7 10502 -DONLY_CLIENT
library starts.so 8 10502 -DAT_LOAD=8 -lpthread
library starts_needs.so 6 10502 -DONLY_CLIENT -DAT_LOAD=6 -Wl,--no-as-needed -L. -lsix -Wl,-rpath,"$work" -lpthread
cc "${flags[@]}" -o program "$tree/tests/several_zstd/program.c" -ldl -lpthread
cc "${flags[@]}" -o program_zstd "$tree/tests/several_zstd/program.c" -ldl -lpthread \
    -Wl,--no-as-needed -L. -lsix -Wl,-rpath,"$work"
five=('1=./one.so' '2=./two.so' '3=./three.so' '4=./four.so' '5=./five.so')

# as_stock <name> <command...>: the same output and status without the hook and under it
as_stock()
{
    local name=$1 device
    shift
    stock timeout 60 "$@" >"$work/stock.out" 2>&1 || fail "$name, stock: $(cat "$work/stock.out")"
    for device in off auto host; do
        ROCKPRESS_LOG_FILE=$work/log hooked "$device" timeout 60 "$@" >"$work/out" 2>&1 ||
            fail "$name, $device: $(cat "$work/out")"
        diff "$work/stock.out" "$work/out" || fail "$name, $device: the lines above differ"
    done
    printf '%s: as without the hook\n' "$name"
}

as_stock turns ./program turns "${five[@]}"
as_stock 'turns, lazily bound' env TEST_RTLD_LAZY=1 ./program turns "${five[@]}" 6=./needs.so
as_stock threads ./program threads "${five[@]}"
as_stock 'loaded and unloaded' ./program reload "${five[@]}"
as_stock 'more of them, one after the other, than the hook has numbers for' ./program wear 1=./one.so 2=./two.so
as_stock 'unloaded with the library that is needed' ./program reload 6=./needs.so 1=./one.so
as_stock 'the same, for all' env TEST_RTLD_GLOBAL=1 ./program reload 6=./needs.so
as_stock 'a constructor waits for a thread' ./program turns 8=./starts.so 6=./starts_needs.so
as_stock 'a library that is needed' ./program turns 6=./needs.so 1=./one.so
as_stock 'the only one, needed by nobody' env TEST_RTLD_GLOBAL=1 ./program turns 1=./one.so 1=./bare.so
as_stock 'one for all, before others' env TEST_RTLD_GLOBAL=1 ./program turns 1=./one.so 1=./two.so 1=./bare.so
as_stock 'one for all, lazily bound' env TEST_RTLD_GLOBAL_LAZY=1 ./program turns 1=./one.so 1=./two.so
as_stock "the program's own, before others" ./program_zstd turns 6=./one.so 6=./two.so 6=./bare.so
as_stock 'a jump out of the only one' ./program jump 1=./one.so

# Where it can't be told there is no context, as without memory, and one line says so.
rm -f "$work/log"
ROCKPRESS_LOG_FILE=$work/log hooked off ./program jump 1=./one.so 2=./two.so 3=./three.so >"$work/out"
[ "$(cat "$work/out")" = $'1: a context\n2: no context\n3: no context' ] || fail "jumps: $(cat "$work/out")"
[ "$(grep -c "libzstd can't be told" "$work/log")" = 1 ] || fail "jumps: $(cat "$work/log")"

# Every release that the hook follows gets the device. One process each: a thread that goes on with a context
# for each block is taken for one that reads (plugin/hook/asker.h).
for library in "${five[@]}"; do
    env LD_PRELOAD="$hook" ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device ROCKPRESS_VERIFY=off ./program served "$library"
done >"$work/out"
printf '%s, set up otherwise: %s\n' '1: yes' no '1: yes' no '1: yes' yes '1: yes' yes '1: no' no >"$work/expected"
diff "$work/expected" "$work/out" || fail 'served: the lines above differ'
printf 'served: %s\n' "$(tr '\n' ';' <"$work/out")"

if [ -n "${TEST_ZSTDS:-}" ]; then
    read -ra real <<<"$TEST_ZSTDS"
    cc "${flags[@]}" -o real "$tree/tests/several_zstd/real.c" -ldl -lpthread
    for scenario in turns threads reload; do
        as_stock "real ones, $scenario" ./real "$scenario" "${real[@]}"
    done
fi
