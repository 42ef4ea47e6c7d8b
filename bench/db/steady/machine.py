# SPDX-License-Identifier: Apache-2.0
"""What the figures were measured on, and with which library."""
import hashlib
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

from rocksdb import clean_environment


def read(path):
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def gpus():
    try:
        done = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []


def file_system(folder):
    """The type of the file system that a folder is on, such as tmpfs."""
    folder, best = Path(folder).resolve(), ("", "?")
    for line in read("/proc/mounts").splitlines():
        point, kind = line.split()[1:3]
        if (folder == Path(point) or Path(point) in folder.parents) and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def describe(folder):
    model = re.search(r"model name\s*: (.*)", read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal: +(\d+)", read("/proc/meminfo"))
    return {"cpu": model[1] if model else platform.machine(), "cores": len(os.sched_getaffinity(0)),
            "memory_gib": round(int(memory[1]) / 2**20) if memory else None, "gpus": gpus(),
            "databases_on": file_system(folder), "kernel": platform.release(),
            # Changes with each start: two machines of one kind are told apart by it.
            "boot_id": read("/proc/sys/kernel/random/boot_id").strip()}


ASK = ("import ctypes, sys; ask = ctypes.CDLL(sys.argv[1]).rp_version_string; ask.restype = ctypes.c_char_p; "
       "print(ask().decode())")


def library(path):
    """The library says its version itself, in a process of its own, which it may change as it likes."""
    try:
        done = subprocess.run([sys.executable, "-c", ASK, str(path)], env=clean_environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, timeout=60)
        version = done.stdout.strip() or None
    except (OSError, subprocess.TimeoutExpired):
        version = None
    return {"file": path.name, "version": version, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
