#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# options.sh <tree>: a wrong option ends a script at once, with status 2 and a line that names it.
set -euo pipefail

scripts=$1/scripts
wrong=0

# refuses <text of the error> <script> <argument>...
refuses()
{
    local status=0 answer text=$1 script=$2
    shift 2
    answer=$("$scripts/$script" "$@" 2>&1 </dev/null) || status=$?
    if [ $status -ne 2 ] || [[ $answer != "$script: "*"$text"* ]]; then
        printf '%s %s: status %d, %s\n' "$script" "$*" $status "$answer"
        wrong=$((wrong + 1))
    fi
}

for script in demo test; do
    refuses "unknown option '--bogus'" $script --bogus
    refuses "unknown option 'word'" $script word
    answer=$("$scripts/$script" --help)
    if [[ $answer != "Usage: scripts/$script "* ]]; then
        printf '%s --help: %s\n' $script "$answer"
        wrong=$((wrong + 1))
    fi
done
refuses "unrecognized arguments: --bogus" coverage --bogus
refuses "a number from 1 to 1024, not '0'" coverage --jobs 0
refuses "--file is a regular expression, not '('" coverage --file '('
[[ $("$scripts/coverage" --help) = "Usage: scripts/coverage "* ]] || wrong=$((wrong + 1))
refuses "auto, cuda, host, off, not 'gpu'" demo --device gpu
refuses "--device needs a value" demo --device
refuses "--num is a number from 1000" demo --num=many
refuses "--num is a number from 1000" demo --num 999
refuses "--num is a number from 1000" demo --num -5
refuses "--num is a number from 1000" demo --num 99999999999999999999
refuses "--num is a number from 1000" demo --num=
refuses "--block-size is a number from 512" demo --block-size 16k
refuses "--dir is a directory" demo --dir "$scripts/demo"
refuses "--dir is a directory" demo --dir ''
refuses "--jobs is a number from 1" test --jobs 0
refuses "--filter needs a value" test --filter
refuses "--preset is one of" test --preset nonsense

exit $((wrong != 0))
