# SPDX-License-Identifier: Apache-2.0
"""A long run with a low rate of faults: memory stays flat, and the counters add up."""
import re
import shutil
import statistics

from common import (LEAK, UNWRITTEN, Run, arguments, chance_of, draw_shape, execute, fresh_folder,
                    hooked_environment, judge, take_counters)

# Faults after which the device goes on: one that lies or is lost would be given up at once, and the rest
# of the time would be libzstd's.
PLAN = ("fail@launch%0.02,fail@wait=timeout%0.02,fail@copy%0.01,oom%2,"
        "delay@wait=3000%0.05,fail@stream_create%1")
# What a heap grows by without a leak.
ALLOWED_GROWTH = 1.10
ALLOWED_KIB = 8 << 10


def run_soak(tools, seed, seconds, batch, keep=False):
    """Returns the run and a line about memory."""
    run = Run("soak", seed)
    device = tools.device if tools.device != "drawn" else "mapped"
    settings = {"DEVICE": f"fault:{seed}:{PLAN}:{device}", "GOAL": "device", "BATCH": batch,
                "TIMEOUT_MS": 1000, "BREAKER_RETRY_MS": 10}
    shape = draw_shape(chance_of(seed), seed, settings)
    shape.update(block_bytes=4096, threads=2, keys=5000, value_bytes=200)
    folder = fresh_folder(tools, f"soak-{seed}")
    log = folder / "log"
    limit_s = seconds + 60
    status = execute(run, [tools.workload, "soak", folder / "db", *arguments(shape, seconds=seconds)],
                     hooked_environment(tools, settings, folder), limit_s, log)
    judge(run, status, log, "soak", limit_s)
    take_counters(run, folder, must_be_there=status == 0)
    samples = [int(n) for n in re.findall(r"^\d+ s (\d+) KiB$", log.read_text(), re.M)]
    # The first rounds make lanes and contexts.
    samples = samples[len(samples) // 10:]
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    if len(samples) < 6:
        run.fail(UNWRITTEN, f"only {len(samples)} rounds: too few to compare")
        return run, "memory: not known"
    third = len(samples) // 3
    first, last = statistics.mean(samples[:third]), statistics.mean(samples[-third:])
    if last > first * ALLOWED_GROWTH + ALLOWED_KIB:
        run.fail(LEAK, f"memory grew from {first / 1024:.1f} to {last / 1024:.1f} MiB")
    return run, (f"soak, batch {batch}: {len(samples)} rounds, memory {first / 1024:.1f} MiB in the first "
                 f"third, {last / 1024:.1f} MiB in the last")
