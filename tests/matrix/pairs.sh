#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# pairs.sh <cells.txt>: each value in the table is one of its column's, no cell stands twice, each pair of values
# of two columns is in some cell, and each feature is in a cell with batch on and a trained dictionary. The check
# itself is tried on tables that lack something.
set -euo pipefail
table=$1

# missing_pairs: of the table on standard input, one line for each fault; status 1 if there is one
missing_pairs()
{
    awk '
        BEGIN {
            n = split("block level dictionary threads batch feature", column)
            values["block"] = "4 16 64"
            values["level"] = "1 3 9 19"
            values["dictionary"] = "none trained untrained"
            values["threads"] = "1 8"
            values["batch"] = "off on"
            values["feature"] = "plain blobs log families bottommost secondary writer sampled"
            for (i = 1; i <= n; i++)
                for (k = split(values[column[i]], list, " "); k > 0; k--) legal[i, list[k]] = 1
        }
        /^#/ || NF == 0 { next }
        {
            cell = $1 " " $2 " " $3 " " $4 " " $5 " " $6
            if (cell in cells) { print "twice: " cell; faults++ }
            cells[cell] = 1
            if (NF != n + 1 || $(n + 1) !~ /^(quick|slow)$/) { print "not a cell: " $0; faults++ }
            for (i = 1; i <= n; i++)
                if (!((i, $i) in legal)) { print column[i] " is not " $i; faults++ }
            for (i = 1; i < n; i++)
                for (j = i + 1; j <= n; j++) found[i, $i, j, $j] = 1
            if ($3 == "trained" && $5 == "on") batched[$6] = 1
        }
        END {
            for (i = 1; i < n; i++)
                for (j = i + 1; j <= n; j++) {
                    n_a = split(values[column[i]], a, " ")
                    n_b = split(values[column[j]], b, " ")
                    for (k = 1; k <= n_a; k++)
                        for (l = 1; l <= n_b; l++) {
                            n_pairs++
                            if (!((i, a[k], j, b[l]) in found)) {
                                print "no cell has " column[i] " " a[k] " with " column[j] " " b[l]
                                faults++
                            }
                        }
                }
            for (k = split(values["feature"], a, " "); k > 0; k--)
                if (!(a[k] in batched)) { print "no batch of trained samples with " a[k]; faults++ }
            if (!faults) print n_pairs " pairs are all there"
            exit faults > 0
        }'
}

missing_pairs <"$table"

# must_fail <what> <sed program>
must_fail()
{
    if sed -E "$2" "$table" | missing_pairs >/dev/null; then
        printf 'FAILED: a table with %s passed\n' "$1"
        exit 1
    fi
}
cells=$(grep -cEv '^(#|$)' "$table")
[ "$cells" -ge 32 ]
must_fail 'no level 19 with blobs' '/^[0-9]+ +19 .* blobs/d'
must_fail 'no 64 KiB with 8 threads' '/^64 .* 8  (on|off) /d'
must_fail 'a level that is not one' 's/^(4 +)3 /\17 /'
must_fail 'a cell twice' '/ blobs /p'
must_fail 'no batch with sampled' '/trained +[18] +on +sampled/s/ on / off/'
must_fail 'no suite' 's/ (quick|slow)$//'
printf '%d cells\n' "$cells"
