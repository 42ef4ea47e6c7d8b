# SPDX-License-Identifier: Apache-2.0
"""What the figures were measured on, and with which library."""
import hashlib
import os
import platform
import re
import subprocess
from pathlib import Path


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


def library(path):
    """The version is that in the name of the file that the link leads to."""
    version = re.search(r"\.so\.(\d+\.\d+\.\d+)$", str(path.resolve()))
    return {"file": path.name, "version": version[1] if version else None,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
