#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# steady.sh <tree> <library of rockpress> rows hook: bench/db/steady runs and checks all of its rows with the
# RocksDB that is installed, and what was left out is taken up again.
# steady.sh <tree> <library of rockpress> rows adapter <prefix of RocksDB> <the hook>: the same through the
# CompressionManager.
# steady.sh <tree> <library of rockpress> faults: it finds each way in which a row is not what it says, with
# an installed RocksDB whose db_bench goes wrong.
# Sizes are tiny, so what is measured means nothing.
set -euo pipefail
tree=$1 library=$2
# Not what stands for it in PATH and looks for it each time.
python=$(python3 -c 'import sys; print(sys.executable)') || { printf 'skipped: no python3\n' && exit 77; }
unset LD_PRELOAD "${!ROCKPRESS_@}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0

# steady <argument>...: sets status, and table, which has the messages, too
steady()
{
    status=0
    table=$("$python" "$tree/bench/db/steady/run" --library "$library" --dir "$work" --num 8000 \
        --write-buffer 262144 --target-file-size 262144 --level-base 1048576 \
        --benchmarks fillrandom,flush --rockpress off:ROCKPRESS_DEVICE=off \
        --rockpress host:ROCKPRESS_DEVICE=host,ROCKPRESS_GOAL=device,ROCKPRESS_BATCH=off,ROCKPRESS_TIMEOUT_MS=60000 "$@" 2>&1) || status=$?
}

# expect <status> <what>
expect()
{
    if [ $status -ne "$1" ]; then
        printf 'WRONG: %s: status %d, not %d: %s\n' "$2" $status "$1" "$table"
        wrong=1
    fi
}

# shows <pattern>...: each is a line of the table
shows()
{
    local pattern
    for pattern in "$@"; do
        if ! grep -qE "$pattern" <<<"$table"; then
            printf 'WRONG: no line %s: %s\n' "$pattern" "$table"
            wrong=1
        fi
    done
}

# json <expression of python>: of the results, as "r", and their rows by name, as "rows"
json()
{
    "$python" -c "
import json, sys
r = json.load(open('$work/results.json'))
rows = {row['name']: row for row in r['rows']}
sys.exit(not ($1))" || { printf 'WRONG: not true: %s\n' "$1" && wrong=1; }
}

figure='[0-9]+\.[0-9]'
ratios="${figure}[0-9]+, ${figure}[0-9]+"
columns="$figure \\| $figure to $figure \\| $figure \\| $figure \\| $figure \\| $figure \\| ($ratios)? \\| ($ratios)?"

rows()
{
    local how=(--through "$1" --prefix "$2" --json "$work/results.json")
    steady "${how[@]}" --repeat 1 --rows none,zstd
    expect 0 'two rows'
    steady "${how[@]}" --repeat 1 --resume --stop-after 0
    expect 3 'stopped'
    shows '^\| host \| not measured'
    json '[len(row["runs"]) for row in r["rows"]] == [1, 0, 1, 0, 0, 0]'
    json 'not json.dump(rows["zstd"]["runs"], open("'"$work"'/kept.json", "w"))'
    steady "${how[@]}" --repeat 1 --resume
    expect 0 'all rows'
    shows "^\\| none \\| $columns \\|  \\|  \\|$" "^\\| lz4 \\| $columns \\|  \\|  \\|$" "^\\| zstd \\| $columns " \
        "^\\| zstd-8t \\| $columns " "^\\| off \\| $columns \\| cpu 100.0 % \\| " \
        "^\\| host \\| $columns \\| direct [0-9.]+ %, cpu [0-9.]+ % \\| "
    json 'rows["zstd"]["runs"] == json.load(open("'"$work"'/kept.json"))'
    json '[*rows] == ["none", "lz4", "zstd", "zstd-8t", "off", "host"]'
    json 'all(len(row["runs"]) == 1 for row in rows.values())'
    json 'len({row["sha256"] for row in rows.values()}) == 1 and rows["host"]["keys"] > 4000'
    json 'rows["none"]["compacted_bytes"] > 1.5 * rows["lz4"]["compacted_bytes"]'
    json 'rows["lz4"]["compacted_bytes"] > 1.1 * rows["zstd"]["compacted_bytes"]'
    json 'rows["host"]["runs"][0]["counters"]["blocks_total:direct"] > 100'
    json 'r["library"]["version"].count(".") == 2 and len(r["library"]["sha256"]) == 64 and r["machine"]["cores"] > 0'
    json 'r["versions"]["rocksdb"].count(".") == 2 and r["versions"]["libzstd"].count(".") == 2'
    # Other blocks are another measurement.
    steady "${how[@]}" --repeat 1 --resume --block-size 4096
    expect 2 'resumed with another block size'
    shows 'has another settings'
    # Two processes write twice as much as one. Both flush only, as the number of compactions varies; what
    # one flush takes together varies, too, by a fifth.
    steady "${how[@]}" --repeat 1 --write-buffer 2097152 --rows zstd,host
    expect 0 'one process'
    cp "$work/results.json" "$work/one.json"
    steady "${how[@]}" --repeat 2 --write-buffer 2097152 --processes 2 --rows zstd,host
    expect 0 'two processes'
    json "all(1.9 < rows[row['name']]['compacted_bytes'] / row['compacted_bytes'] < 2.1
        for row in json.load(open('$work/one.json'))['rows'])"
    json "all(1.4 < run['counters']['blocks_total:direct'] / row['runs'][0]['counters']['blocks_total:direct'] < 2.8
        for row in json.load(open('$work/one.json'))['rows'][1:] for run in rows['host']['runs'])"
    json '[run["round"] for run in rows["host"]["runs"]] == [0, 1]'
    if [ "$(sed -nE 's/.*\] (round .*): CPU.*/\1/p' <<<"$table" | tr '\n' ';')" != \
        'round 1, zstd;round 1, host;round 2, host;round 2, zstd;' ]; then
        printf 'WRONG: rounds do not alternate: %s\n' "$table"
        wrong=1
    fi
    if [ "$1" = adapter ]; then
        library=$3
        steady "${how[@]}" --repeat 1 --rows zstd,host
        expect 1 'a library that is not the adapter'
        shows '^\| host \| failed: RocksDB has not taken the manager rockpress \(nullptr\)'
    fi
}

# break_rocksdb <what db_bench does first, in bash>: a RocksDB in $work/prefix
break_rocksdb()
{
    rm -rf "$work/prefix"
    mkdir -p "$work/prefix/bin"
    ln -s "$(command -v ldb)" "$(command -v sst_dump)" "$work/prefix/bin"
    printf '%s\n' '#!/bin/bash' "real=$(command -v db_bench)" 'all=" $* "' "$1" "exec \$real \"\$@\"" \
        >"$work/prefix/bin/db_bench"
    chmod +x "$work/prefix/bin/db_bench"
}

# broken <what db_bench does first> <argument>...
broken()
{
    break_rocksdb "$1"
    steady --prefix "$work/prefix" --repeat 1 --num 3000 "${@:2}"
}

faults()
{
    broken "[[ \$all != *=lz4* ]] || { echo 'open error: LZ4 is not linked' >&2; exit 1; }" --rows lz4,zstd
    expect 1 'db_bench fails'
    shows '^\| lz4 \| failed: exit status 1: open error: LZ4 is not linked' "^\\| zstd \\| $columns"

    broken "[[ \$all != *threads=8* ]] || exec \$real \"\$@\" --compression_type=none" --rows zstd,zstd-8t
    expect 1 'files without compression'
    shows "^\\| zstd-8t \\| failed: a table has the compression 'NoCompression', not zstd"

    broken "[[ \$all != *=lz4* ]] || exec \$real \"\$@\" --compression_ratio=1" --rows zstd,lz4
    expect 1 'blocks that did not shrink'
    shows '^\| lz4 \| failed: [0-9]+ bytes of blocks for [0-9]+ of keys and values: they were not'

    broken "[[ -z \$LD_PRELOAD ]] || exec \$real \"\$@\" --seed=2" --rows zstd,host
    expect 1 'other keys'
    shows '^\| host \| failed: its keys and values are not those of the row zstd' "^\\| zstd \\| $columns"

    # The same number of keys, with another value in one of them.
    broken "[[ -z \$LD_PRELOAD || \$all != *=compact* ]] || {
        for db; do [[ \$db != --db=* ]] || ldb \"\$db\" --hex put \
            \"\$(ldb \"\$db\" scan --hex --max_keys=1 | cut -d ' ' -f 1)\" 0x00 >/dev/null; done; }" --rows zstd,host
    expect 1 'another value'
    shows '^\| host \| failed: its keys and values are not those of the row zstd'

    broken "[[ -z \$LD_PRELOAD || \$all != *fillrandom* ]] || {
        \$real \"\$@\" || exit
        for db; do [[ \$db != --db=* ]] || for table in \${db#--db=}/*.sst; do
            printf '\\377\\0\\377\\0' | dd of=\$table bs=1 seek=20000 conv=notrunc status=none; done; done
        exit; }" --rows zstd,host
    expect 1 'damaged blocks'
    shows '^\| host \| failed: '

    broken "[[ \$all != *readseq* ]] || exec \$real \"\$@\" --reads=100" --rows zstd
    expect 1 'too few keys'
    shows '^\| zstd \| failed: keys are missing, or databases differ: numbers of keys \[100, [0-9]+\]'

    broken 'unset LD_PRELOAD' --rows zstd,off
    expect 1 'no rockpress'
    shows '^\| off \| failed: rockpress wrote no counters'

    broken "[[ -z \$LD_PRELOAD || \$all != *fillrandom* ]] || {
        \$real \"\$@\" || exit
        echo 'rockpress_faults_total{kind=\"timeout\"} 3' >>\$ROCKPRESS_STATS
        exit; }" --rows zstd,host
    expect 1 'faults of the device'
    shows '^\| host \| failed: faults of the device: .*timeout.: 3'

    broken "[[ \$all != *=lz4* ]] || exec sleep 1000" --rows lz4 --limit 2
    expect 1 'too long'
    shows '^\| lz4 \| failed: takes longer than 2 s: '

    # Ended from outside, it ends its child, keeps what it has, and leaves no database.
    break_rocksdb "[[ \$all != *=lz4* ]] || { echo \$\$ >$work/child && exec sleep 1000; }"
    "$python" "$tree/bench/db/steady/run" --library "$library" --prefix "$work/prefix" --dir "$work" --num 8000 --rows none,lz4 \
        --benchmarks fillrandom,flush --json "$work/kept.json" >/dev/null 2>&1 &
    ended=$!
    while ! [ -s "$work/child" ] && kill -0 $ended; do sleep 0.1; done
    kill $ended
    status=0
    wait $ended || status=$?
    table=''
    expect 143 'ended'
    if kill -0 "$(cat "$work/child")" 2>/dev/null || [ -n "$(find "$work" -name 'rockpress-steady.*')" ] ||
        ! "$python" -m json.tool "$work/kept.json" >/dev/null; then
        printf 'WRONG: left behind: a child, a folder, or a broken file\n'
        wrong=1
    fi

    steady --prefix /usr --rows host
    expect 2 'nothing to compare with'
    steady --prefix "$work/nothing"
    expect 2 'no RocksDB'
    shows 'there is no db_bench in'
    steady --library "$work/nothing"
    expect 2 'no library'
    shows 'nothing: there is no such file'
    steady --resume
    expect 2 '--resume without --json'
    steady --block-size 16k
    expect 2 'no number'
    shows "'16k' is not a whole number from 512 to 16777216"
}

prefix=
if [ $# -lt 5 ]; then
    for tool in db_bench ldb sst_dump; do
        command -v $tool >/dev/null || { printf 'skipped: no %s\n' $tool && exit 77; }
    done
    prefix=$(dirname "$(dirname "$(command -v db_bench)")")
fi
case $3 in
rows) rows "$4" "${5:-$prefix}" "${6:-}" ;;
faults) faults ;;
esac
exit $wrong
