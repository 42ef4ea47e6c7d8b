#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli.sh <rockpress>: what `rockpress info` prints and its exit status, by environment.
set -euo pipefail
rockpress=$1
unset "${!ROCKPRESS_@}"

# expect <status> <text> [NAME=VALUE]... -- [argument]...
expect()
{
    local wanted=$1 text=$2 status=0 variables=() output
    shift 2
    while [ "$1" != -- ]; do
        variables+=("$1")
        shift
    done
    shift
    output=$(env "${variables[@]}" "$rockpress" "$@" 2>&1) || status=$?
    if [ $status -ne "$wanted" ] || ! grep -q -F -e "$text" <<<"$output"; then
        printf 'WRONG: %s %s: status %d, not %d with "%s":\n%s\n' "${variables[*]}" "$*" $status \
            "$wanted" "$text" "$output"
        exit 1
    fi
}
expect 0 'the calling CPU thread' -- info
expect 0 'device auto, effort auto, verify device' -- info
expect 0 'device host, effort high, verify all' ROCKPRESS_DEVICE=host ROCKPRESS_EFFORT=high \
    ROCKPRESS_VERIFY=all -- info
expect 1 'the device cuda:999 cannot be used' ROCKPRESS_DEVICE=cuda:999 -- info
expect 3 'ignored: ROCKPRESS_EFFORT' ROCKPRESS_EFFORT=best -- info
expect 3 'ignored: ' ROCKPRESS_NO_SUCH=1 -- info
expect 0 'cannot be used: /nonexistent/library.so: ' ROCKPRESS_CUDA_LIBRARY=/nonexistent/library.so -- info
expect 0 '  ROCKPRESS_CUDA_LIBRARY=/nonexistent/library.so' \
    ROCKPRESS_CUDA_LIBRARY=/nonexistent/library.so -- info
expect 0 'rockpress ' -- --version
expect 0 'usage: rockpress' -- --help
expect 2 'usage: rockpress' --
expect 2 'usage: rockpress' -- info more
