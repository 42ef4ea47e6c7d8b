#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# compression_manager.sh <program>: the example runs, and its blocks are compressed on the device.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_PRELOAD "${!ROCKPRESS_@}"

answer=$(ROCKPRESS_DEVICE=host ROCKPRESS_GOAL=device "$1" "$work/db")
printf '%s\n' "$answer"
# RocksDB was asked for the blocks of its files.
batch=$(sed -nE 's/^batch: ([0-9]+) blocks.*/\1/p' <<<"$answer")
[ "$batch" -gt 50 ]
