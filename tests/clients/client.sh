#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# client.sh <tree> <hook> java <jar>
# client.sh <tree> <hook> python <package> <folder>: a program that brings its own RocksDB along, and its
# own zstd with it, in the jar or in what `pip install --target <folder>` made. It writes a database with the
# hook preloaded, at each setting of the device, and reads it without: content as without the hook, and no word.
set -euo pipefail
tree=$1 hook=$2 kind=$3
# shellcheck source=tests/rocksdb/lib.sh
. "$tree/tests/rocksdb/lib.sh"
here=$tree/tests/clients
ulimit -c 0

case $kind in
java)
    need java javac
    [ -r "$4" ] || skip "no jar $4"
    javac -cp "$4" -d "$work/classes" "$here/RocksJavaClient.java" || fail 'javac'
    client=(java -XX:-CreateCoredumpOnCrash -cp "$4:$work/classes" RocksJavaClient)
    reached=served
    ;;
python)
    need python3
    package=$4
    [ -d "$5" ] || skip "no folder $5"
    export PYTHONPATH=$5 PYTHONDONTWRITEBYTECODE=1
    python3 -c "import $package" || skip "no package $package in $5, for this Python"
    client=(python3 "$here/python_client.py")
    # Known ones: is a device to get the blocks of this one?
    case $package in
    rocksdict) reached=no ;;               # zstd is static and not exported
    aimrocks) reached=forwarded ;;         # zstd 1.1.3: nothing of it but its own functions is used
    rdbpy | pyrex | rocksdb) reached=served ;; # zstd is exported, or a shared library
    *) reached=unknown ;;
    esac
    ;;
*) fail "$kind: java or python" ;;
esac

# client_run <what> <scenario> <database>
client_run()
{
    local what=$1
    shift
    if [ "$kind" = python ]; then
        timeout 120 "${client[@]}" "$what" "$package" "$@"
    else
        timeout 120 "${client[@]}" "$what" "$@"
    fi
}

# compressed <scenario> <database>: whether zstd frames are where the scenario wants them
compressed()
{
    local pattern='*.sst'
    case $1 in
    wal) pattern='*.log' ;;
    blob) pattern='*.blob' ;;
    esac
    find "$2" -name "$pattern" -print0 | xargs -0 -r grep -aqP '\x28\xb5\x2f\xfd'
}

# stat_sum <route>: blocks, over all processes of the client
stat_sum()
{
    cat "$work"/stats.* 2>/dev/null |
        awk -v route="rockpress_blocks_total{route=\"$1\"}" '$1 == route { n += $2 } END { print n + 0 }'
}

n_scenarios=0
failed=0
for scenario in plain dictionary wal blob; do
    rm -rf "$work/db"
    status=0
    client_run write $scenario "$work/db" >"$work/log" 2>&1 || status=$?
    if [ $status = 3 ]; then
        printf '%s: %s\n' $scenario "$(tail -n 1 "$work/log")"
        continue
    fi
    [ $status = 0 ] || fail "$scenario without the hook: $(tail -n 3 "$work/log")"
    compressed $scenario "$work/db" || fail "$scenario: no zstd frame in the files of the stock client"
    expected=$(client_run "read" $scenario "$work/db")
    [ "${expected%% *}" -gt 1000 ] || fail "$scenario: the client wrote nothing: $expected"
    for device in off host default; do
        rm -rf "$work/db" "$work"/stats.*
        settings=(ROCKPRESS_VERIFY=all "ROCKPRESS_STATS=$work/stats.%p" "LD_PRELOAD=$hook")
        [ $device = default ] || settings+=("ROCKPRESS_DEVICE=$device" ROCKPRESS_GOAL=device)
        status=0
        (
            # A crash leaves its report where it happened.
            cd "$work"
            export "${settings[@]}"
            client_run write $scenario "$work/db"
        ) >"$work/log" 2>&1 || status=$?
        # A reader empties the log.
        zstd_frames=yes
        compressed $scenario "$work/db" || zstd_frames=no
        found=$(client_run "read" $scenario "$work/db" 2>&1 | tail -n 1) || true
        problem=
        if [ $status != 0 ]; then
            problem="status $status: $(grep -m 1 -E 'SIG|Exception|rror|free\(' "$work/log" || true)"
        elif [ "$found" != "$expected" ]; then
            problem="reads '$found', expected '$expected'"
        elif [ $zstd_frames = no ]; then
            problem='no zstd frame in its files'
        elif grep -q '^rockpress: ' "$work/log"; then
            problem=$(grep -m 1 '^rockpress: ' "$work/log")
        elif [ $device != host ] && [ "$(stat_sum direct)" != 0 ]; then
            problem="$(stat_sum direct) blocks went to a device that is not there"
        elif [ $device = host ] && [ $scenario != dictionary ] && [ $scenario != wal ]; then
            case $reached in
            served) [ "$(stat_sum direct)" -gt 100 ] || problem="$(stat_sum direct) blocks on the device" ;;
            no | forwarded) [ "$(stat_sum direct)" = 0 ] || problem="$(stat_sum direct) blocks on the device" ;;
            esac
        fi
        printf '%s, device %s: %s; direct %s, cpu %s blocks\n' $scenario $device "${problem:-as stock}" \
            "$(stat_sum direct)" "$(stat_sum cpu)"
        [ -z "$problem" ] || failed=$((failed + 1))
    done
    n_scenarios=$((n_scenarios + 1))
done
[ $n_scenarios -gt 0 ] || fail 'no scenario is possible with this client'
[ $failed -eq 0 ] || fail "$failed of $((n_scenarios * 3)) runs"
