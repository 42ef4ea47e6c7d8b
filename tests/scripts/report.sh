#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# report.sh <tree> exact: the pictures in docs/ are what bench/blocks/report makes of the results.
# report.sh <tree> selftest: each kind of difference is noticed.
# report.sh <tree> blocks <bench/blocks>: bench/blocks/report reads what bench/blocks writes.
# Tests that draw are skipped (77) where no python3 has matplotlib.
set -euo pipefail

tree=$1
docs=$tree/docs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0

# A python3 that is first in PATH may be one without the distribution's packages.
plotter=
for python in python3 /usr/bin/python3; do
    if [ -z "$plotter" ] && "$python" -c 'import matplotlib' 2>/dev/null; then
        plotter=$python
    fi
done

report()
{
    "${plotter:-python3}" "$tree/bench/blocks/report" "$@"
}

fresh_docs()
{
    rm -rf "$work/docs"
    mkdir "$work/docs"
    cp "$docs/benchmarks.md" "$docs"/blocks-*.svg "$work/docs"
}

# refuses <check> <text of the answer> <sed expression> <file of docs>
refuses()
{
    local status=0 answer
    fresh_docs
    sed -i -E "$3" "$work/docs/$4"
    if cmp -s "$docs/$4" "$work/docs/$4"; then
        printf '%s is not in %s\n' "$3" "$4"
        wrong=$((wrong + 1))
    fi
    answer=$(report --check "$1" --docs "$work/docs" 2>&1) || status=$?
    if [ $status -ne 1 ] || [[ $answer != *"$2"* ]]; then
        printf 'WRONG: accepted %s in %s: status %d, %s\n' "$3" "$4" $status "$answer"
        wrong=$((wrong + 1))
    fi
}

case $2 in
exact)
    report --check exact
    ;;
selftest)
    points='/id="points_rockpress"/,/id="label_rockpress_fast"/'
    refuses data 'the tables are not those' 's/^\| zstd 3 \| 2\./&1/' benchmarks.md
    refuses data 'the tables are not those' 's/--rounds [0-9]+/--rounds 77/' benchmarks.md
    refuses data 'not exactly one pair' '/made by bench.blocks.report: end/d' benchmarks.md
    refuses data 'points from its place' "$points s/(<use .* x=\")([0-9])/\\11\\2/" blocks-4k.svg
    refuses data 'points from its place' "$points s/(<use .* y=\")([0-9])/\\11\\2/" blocks-16k.svg
    refuses data 'markers of rockpress' "$points { /<use /d }" blocks-64k.svg
    refuses data 'rockpress fast has no label' 's/>fast</>faster</' blocks-4k.svg
    refuses data 'zstd 10 has no label' 's/id="label_zstd_10"//' blocks-4k.svg
    refuses data 'is missing' 's/>host device: one CPU core, no GPU/>a GPU/' blocks-16k.svg
    refuses data 'not a picture of' 's/<\/svg>//' blocks-64k.svg
    if report --check exact >/dev/null 2>&1; then
        refuses exact 'other bytes' '$ s/$/<!-- -->/' blocks-4k.svg
    fi
    ;;
blocks)
    fresh_docs
    "$3" --corpus json --corpus logs --block-bytes 4096 --block-bytes 16384 --block-bytes 65536 \
        --bytes 128K --rounds 1 --efforts fast --levels -5,3 --lz4 1 --lz4hc 9 \
        --json "$work/results.json" >/dev/null 2>&1
    if [ -z "$plotter" ]; then
        printf 'skipped: python3 has no matplotlib (Debian: python3-matplotlib)\n'
        exit 77
    fi
    report --results "$work/results.json" --docs "$work/docs"
    report --results "$work/results.json" --docs "$work/docs" --check data
    report --results "$work/results.json" --docs "$work/docs" --check exact
    grep -q '^| rockpress fast | [0-9.]* | ' "$work/docs/benchmarks.md" || wrong=1
    ! cmp -s "$docs/blocks-4k.svg" "$work/docs/blocks-4k.svg" || wrong=1
    ;;
esac
exit $((wrong != 0))
