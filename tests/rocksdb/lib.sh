# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of the preloaded hook share. To be sourced, with the tree in $tree and the hook in
# $hook. Each test makes a scratch folder $work, which is removed at its end.

export LC_ALL=C
: "${tree:?}" "${hook:?}"
unset LD_PRELOAD "${!ROCKPRESS_@}"
# shellcheck source=scripts/lib_rocksdb.sh
. "$tree/scripts/lib_rocksdb.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip()
{
    printf 'skipped: %s\n' "$*"
    exit 77
}

# Seen also where the output of what fails goes to a file.
exec 3>&1
fail()
{
    printf 'FAILED: %s\n' "$*" >&3
    if [ -s "$work/stats" ]; then
        grep -v '^#' "$work/stats" >&3
    fi
    exit 1
}

need()
{
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || skip "no $tool"
    done
}

# hooked <device> <command...>: runs it with the hook preloaded; counters are then in $work/stats. The
# device takes all that it can, unless ROCKPRESS_GOAL says otherwise.
# Whatever the hook has to say is an error: it is silent when all is well.
hooked()
{
    local device=$1
    shift
    rm -f "$work/stats"
    env LD_PRELOAD="$hook" ROCKPRESS_DEVICE="$device" ROCKPRESS_GOAL="${ROCKPRESS_GOAL:-device}" ROCKPRESS_VERIFY=all \
        ROCKPRESS_STATS="$work/stats" "$@" 2>"$work/stderr" ||
        fail "$device: $* : $(tail -n 3 "$work/stderr")"
    if grep -q '^rockpress: ' "$work/stderr"; then
        fail "$device: $* : $(grep '^rockpress: ' "$work/stderr" | head -n 3)"
    fi
    [ -s "$work/stats" ] || fail "$device: $* : the hook was not used"
}

# counter <name> [label value]: of the last hooked command
counter()
{
    awk -v name="rockpress_$1" -v label="${2:-}" '
        label == "" && $1 == name { print $2; found = 1 }
        label != "" && index($1, name "{") == 1 && index($1, "\"" label "\"") { print $2; found = 1 }
        END { if (!found) print "missing" }' "$work/stats"
}

# expect_counter <name> <label or ''> <test operator> <number>
expect_counter()
{
    local value
    value=$(counter "$1" "$2")
    test "$value" "$3" "$4" || fail "$1 $2 is $value, expected $3 $4"
}

# Nothing went wrong, and all blocks of the device's are accounted for.
expect_no_faults()
{
    local kind sum=0 reason
    for kind in timeout launch memory device verify internal; do
        expect_counter faults_total $kind -eq 0
    done
    expect_counter fallbacks_total fault -eq 0
    expect_counter verified_blocks_total '' -eq \
        $(($(counter blocks_total direct) + $(counter blocks_total batch)))
    for reason in dictionary size device parameter capacity pool breaker fault router busy memory read; do
        sum=$((sum + $(counter fallbacks_total $reason)))
    done
    expect_counter blocks_total cpu -eq $sum
}
