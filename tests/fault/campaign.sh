#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# campaign.sh <campaign and its arguments>...: a campaign that looks for wrong values finds them where
# nothing verifies what the device returns, and says where: its exit status is 1, and a failure has the
# seed that repeats it. It refuses wrong options.
set -euo pipefail
unset LD_PRELOAD "${!ROCKPRESS_@}"

fail()
{
    printf 'FAILED: %s\n' "$*"
    exit 1
}

status=0
answer=$("$@" --plans 24 --seed 1 --verify off 2>&1) || status=$?
[ $status -ne 77 ] || { printf '%s\n' "$answer" && exit 77; }
[ $status -eq 1 ] || fail "status $status: $answer"
# plans, lost, wrong, crash
read -r _ plans lost wrong crash _ <<<"$(grep '^unit ' <<<"$answer")"
[ "$plans" -eq 24 ] || fail "$plans plans: $answer"
[ $((lost + wrong + crash)) -ge 3 ] || fail "only $lost, $wrong, $crash: $answer"
grep -qE '^ +scripts/campaign --plan [0-9]+ --of unit ' <<<"$answer" || fail "no seed: $answer"
seed=$(sed -nE 's/^ +scripts\/campaign --plan ([0-9]+) --of unit .*(flip|size|swap|drop)@.*/\1/p' <<<"$answer" | head -n 1)

# The same again, with all that is known of it.
status=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
answer=$("$@" --plan "$seed" --verify off --dir "$folder" 2>&1) || status=$?
[ $status -eq 1 ] || fail "--plan $seed: status $status: $answer"
grep -q "ROCKPRESS_DEVICE=fault:$seed:random:" <<<"$answer" || fail "--plan $seed: $answer"

# refuses <text of the error> <option>...
refuses()
{
    local expected=$1 refused=0
    shift
    answer=$("${campaign[@]}" "$@" 2>&1) || refused=$?
    [ $refused -eq 2 ] || fail "$*: status $refused"
    [[ $answer == *"$expected"* ]] || fail "$*: $answer"
}
campaign=("$@")
refuses "is a number from 0 to 10000000, not 'many'" --plans many
refuses 'nothing is left to run' --plans 0
refuses '--short goes with no number of plans' --short --kills 4
refuses "invalid choice: 'some'" --verify some
refuses '--device is one of' --device disk --plans 1
printf '%s lost, %s wrong, %s crashed without verification\n' "$lost" "$wrong" "$crash"
