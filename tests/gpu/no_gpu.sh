#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# no_gpu.sh <test_no_gpu> <directory with the fake libcuda.so.1>: see test_no_gpu.c.
set -euo pipefail
program=$1
fake=$2
wrong=0

# expect <words of the reason, or ""> [NAME=VALUE]...
expect()
{
    local reason=$1 output
    shift
    if ! output=$(env "$@" "$program" ${reason:+"$reason"} 2>&1); then
        printf 'WRONG: with %s, "%s":\n%s\n' "$*" "$reason" "$output"
        wrong=$((wrong + 1))
    fi
}

export LD_LIBRARY_PATH=$fake${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# libcuda.so.1 by the same name, so that the fake one takes the place of one that is installed.
expect 'the driver supports CUDA 12.4; needed: 13.0' FAKE_DRIVER_VERSION=12040
expect 'the driver supports CUDA 11.8' FAKE_DRIVER_VERSION=11080
expect 'cudaErrorNoDevice' FAKE_DRIVER_INIT=100
expect 'cudaErrorNoDevice' FAKE_DRIVER_INIT=100 FAKE_DRIVER_VERSION=13020
expect 'cudaErrorInitializationError' FAKE_DRIVER_INIT=3
expect 'cudaErrorSystemDriverMismatch' FAKE_DRIVER_INIT=803
expect 'cudaErrorDevicesUnavailable' FAKE_DRIVER_INIT=46

# This machine as it is, and as it is without its GPUs.
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH#"$fake"}
LD_LIBRARY_PATH=${LD_LIBRARY_PATH#:}
if [ -z "$LD_LIBRARY_PATH" ]; then unset LD_LIBRARY_PATH; fi
if ldconfig -p 2>/dev/null | grep -q 'libcuda\.so\.1'; then
    expect '' A=B
    expect 'cudaErrorNoDevice' CUDA_VISIBLE_DEVICES=
else
    printf 'no driver on this machine\n'
    expect 'no NVIDIA driver' A=B
    expect 'no NVIDIA driver' CUDA_VISIBLE_DEVICES=
    expect 'no NVIDIA driver' CUDA_VISIBLE_DEVICES=0,1
fi
[ $wrong -eq 0 ]
