#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# programs.sh <tree> <hook> off|default|host <number>: the programs of programs.txt, without the hook and with it
# preloaded, at one setting of ROCKPRESS_DEVICE. What they print, their status and the files that they write are the
# same; those of which a device compresses parts decode to the same. Programs that are not installed are named; the
# test is skipped where fewer than <number> different ones are.
set -euo pipefail
tree=$1 hook=$2 setting=$3 enough=$4
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
ulimit -c 0

# make_folder <folder>: what the commands work on
make_folder()
{
    mkdir -p "$1/samples" "$1/package/DEBIAN" "$1/out"
    seq 1 60000 >"$1/data"
    split -n 50 "$1/data" "$1/samples/s"
    cp "$1/data" "$1/package/"
    printf 'Package: a\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: a\n' \
        >"$1/package/DEBIAN/control"
    # rsync's remote shell, which stays here
    printf '#!/bin/sh\nshift\nexec "$@"\n' >"$1/shell"
    chmod +x "$1/shell"
    # Enough code for debug information of more than 512 bytes.
    {
        printf '#include <stdio.h>\n'
        for i in $(seq 1 60); do
            printf 'struct s%d { int a%d; long b%d[%d]; };\n' "$i" "$i" "$i" "$i"
            printf 'int f%d(struct s%d *p, int n) { return p->a%d * n + (int)p->b%d[0]; }\n' "$i" "$i" "$i" "$i"
        done
        printf 'int main(void) { struct s1 s = {1, {2}}; printf("%%d\\n", f1(&s, 3)); return 0; }\n'
    } >"$1/hello.c"
    cat >"$1/forks.py" <<'PYTHON'
import os, threading
pid = os.fork()
if pid == 0:
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
thread = threading.Thread(target=print, args=("thread",))
thread.start()
thread.join()
PYTHON
    (
        cd "$1"
        if command -v gcc objcopy >/dev/null; then
            gcc -g -O1 -S hello.c -o hello.s
            gcc -g -O1 -c hello.c -o hello.o
            gcc hello.o -o hello.debug
            objcopy --compress-debug-sections=zstd hello.debug hello.zstd
        fi
    )
}

need gcc objcopy sha256sum
make_folder "$work/template"

# contents <folder>: of what a command left in out/
contents()
{
    (cd "$1/out" && find . -type f -print0 | sort -z | xargs -0 -r sha256sum)
}

# The same path for both, as some programs print or store it.
folder=$work/run

# run_in_folder <copy> <command...>: leaves stdout, stderr, status and out/ in <copy>
run_in_folder()
{
    local copy=$1 status=0
    shift
    rm -rf "$folder" "$copy"
    cp -a "$work/template" "$folder"
    # A command that reads its input would read the table.
    (cd "$folder" && "$@") >"$folder/stdout" 2>"$folder/stderr" </dev/null || status=$?
    printf '%d\n' $status >"$folder/status"
    mv "$folder" "$copy"
}

# compare <program> <command> <decode or ''>
compare()
{
    local program=$1 command=$2 decode=$3 what
    local settings=("LD_PRELOAD=$hook" "ROCKPRESS_VERIFY=all" "ROCKPRESS_STATS=$work/stats.%p")
    [ "$setting" = default ] || settings+=("ROCKPRESS_DEVICE=$setting" ROCKPRESS_GOAL=device)
    run_in_folder "$work/stock" sh -c "$command"
    run_in_folder "$work/hooked" env "${settings[@]}" sh -c "$command"
    for what in status stdout stderr; do
        cmp -s "$work/stock/$what" "$work/hooked/$what" || {
            printf 'FAILED: %s: its %s differs: %s\n  %s\n' "$program" $what "$command" \
                "$(diff -a "$work/stock/$what" "$work/hooked/$what" | sed -n '1,3p')"
            return 1
        }
    done
    if [ "$(contents "$work/stock")" != "$(contents "$work/hooked")" ]; then
        if [ -z "$decode" ] || [ "$setting" != host ]; then
            printf 'FAILED: %s: the files that it writes differ: %s\n' "$program" "$command"
            return 1
        fi
        n_decoded=$((n_decoded + 1))
    fi
    if [ -n "$decode" ]; then
        decoded=$(cd "$work/stock" && sh -c "$decode" 2>&1) || fail "$program without the hook: $decoded"
        [ "$decoded" = "$(cd "$work/hooked" && sh -c "$decode" 2>&1)" ] || {
            printf 'FAILED: %s: what it wrote does not decode to the same: %s\n' "$program" "$decode"
            return 1
        }
    fi
}

n_commands=0 n_failed=0 n_decoded=0
ran=()
absent=()
while IFS='|' read -r program rest; do
    program=${program// /}
    case $program in
    '' | '#'*) continue ;;
    esac
    # Commands have pipes, so || divides the last field off.
    command=${rest%% || *}
    decode=
    [ "$command" = "$rest" ] || decode=${rest#* || }
    tool=$program
    [ "$program" != lto ] || tool=gcc
    if ! command -v "$tool" >/dev/null; then
        absent+=("$program")
        continue
    fi
    compare "$program" "$command" "$decode" || n_failed=$((n_failed + 1))
    n_commands=$((n_commands + 1))
    ran+=("$tool")
done <"$tree/tests/programs/programs.txt"

n_programs=$(printf '%s\n' "${ran[@]}" | sort -u | wc -l)
direct=$(cat "$work"/stats.* 2>/dev/null |
    awk '$1 == "rockpress_blocks_total{route=\"direct\"}" { n += $2 } END { print n + 0 }')
printf '%d commands of %d programs; %d wrote other frames than libzstd, %d blocks by the device\n' $n_commands \
    "$n_programs" $n_decoded "$direct"
printf 'not installed: %s\n' "${absent[*]:-none}"
[ $n_failed -eq 0 ] || fail "$n_failed of $n_commands commands"
if [ "$setting" = host ]; then
    [ "$direct" -gt 0 ] || fail 'the hook was used by none of these programs'
else
    [ "$direct" -eq 0 ] || fail "$direct blocks by a device, which there is not"
fi
[ "$n_programs" -ge "$enough" ] || skip "$n_programs programs are installed, of $enough"
