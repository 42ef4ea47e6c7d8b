#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# device.sh <corpus> <device>: bench/device on the host device measures everything that it is asked for, on the
# right blocks, reports the same as text and as JSON, and refuses wrong options.
set -euo pipefail
corpus=$1 device=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v python3 >/dev/null || exit 77

"$corpus" --out "$work/blocks" --bytes 64K --corpus json --corpus csv --block-bytes 4096 >"$work/log"
"$device" --device host --blocks 7,12 --streams 1,3 --threads 1,2 --efforts fast,high --rounds 2 \
    --latency 5 --stages --paths --json "$work/results.json" "$work/blocks" >"$work/log"

"$device" --device host --blocks 7,12 --streams 1,3 --threads 1,2 --efforts fast,high --rounds 1 \
    --latency 0 --checksum --json "$work/checksum.json" "$work/blocks" >"$work/log_checksum"

"$device" --device host --blocks 12 --streams 1 --threads 1 --efforts fast,high --rounds 1 \
    --latency 2 --decode --json "$work/decode.json" "$work/blocks" >"$work/log_decode"

python3 - "$work/results.json" "$work/log" "$work/checksum.json" "$work/decode.json" <<'END'
import json, sys
results = json.load(open(sys.argv[1]))
rows = results["rows"]
assert results["device"] == "host" and results["clock"] == "host clock" and len(results["files"]) == 2
def count(**wanted):
    return sum(all(row.get(k) == v for k, v in wanted.items()) for row in rows)
for n in (7, 12):
    for variant in ("fast", "high"):
        for parts in (1, 3):
            assert count(what="resident", n_blocks=n, streams=parts, variant=variant) == 1
        for parts in (1, 2):
            assert count(what="host", n_blocks=n, threads=parts, variant=variant) == 1
assert count(what="latency") == 2 and count(what="libzstd") == 4 and count(what="stages") == 4
assert count(what="path") == 10 and count(what="path", path="mapped, written", n=5) == 2
for row in rows:
    if row["what"] in ("resident", "host"):
        assert row["n_verified"] == row["n_blocks"], row
        # gb_s has four decimals, which are few where the machine is busy.
        gb_s = row["raw_bytes"] / row["seconds"] / 1e9
        assert abs(row["gb_s"] - gb_s) < 0.01 * gb_s + 0.00006, row
sizes = {(r["n_blocks"], r["variant"]): set() for r in rows if r["what"] in ("resident", "host")}
for row in rows:
    if row["what"] in ("resident", "host"):
        sizes[row["n_blocks"], row["variant"]].add(row["compressed_bytes"])
assert all(len(s) == 1 for s in sizes.values()), sizes
longer = [r for r in json.load(open(sys.argv[3]))["rows"] if r["what"] in ("resident", "host")]
assert len(longer) == 16
for row in longer:
    assert row["compressed_bytes"] == min(sizes[row["n_blocks"], row["variant"]]) + 4 * row["n_blocks"], row
assert len(open(sys.argv[2]).readlines()) == len(rows)
proven = json.load(open(sys.argv[4]))["rows"]
for what, n in (("resident", 4), ("host", 4), ("latency", 4), ("decode", 4), ("check", 1)):
    assert sum(row["what"] == what for row in proven) == n, what
assert {row["variant"] for row in proven if row["what"] == "latency"} == {"fast", "fast+v", "high", "high+v"}
assert {row["decoder"] for row in proven if row["what"] == "decode"} == {"verifier", "verifier, one stretch"}
assert all(row["us"] > 0 for row in proven if row["what"] == "check")
END

refuses()
{
    local status=0
    "$device" --device host "$@" >"$work/log" 2>&1 || status=$?
    [ $status -eq 2 ] || { echo "WRONG: status $status of: $*"; exit 1; }
}
refuses
refuses --blocks 0 "$work/blocks"
refuses --efforts best "$work/blocks"
refuses --streams 65 "$work/blocks"
refuses --unknown "$work/blocks"
