# SPDX-License-Identifier: Apache-2.0
"""Processes that are killed while they write: what was acknowledged is there afterwards."""
import re
import shutil
import struct
import sys
import time

from common import (CRASH, UNWRITTEN, Run, alive, arguments, chance_of, draw_settings, draw_shape, end_group,
                    execute, fresh_folder, hooked_environment, judge, now, shell_line, start,
                    stock_environment)

KILLS_OF_A_DATABASE = 8
# For the first write to be acknowledged.
START_LIMIT_S = 20


def count_acknowledged(path):
    try:
        return sum(struct.unpack("=2Q", path.read_bytes()))
    except (OSError, struct.error):
        return 0


def is_in_the_middle(database):
    """Whether a flush or a compaction had begun and not ended when the log ended."""
    try:
        text = (database / "LOG").read_text(errors="replace")
    except OSError:
        return False
    begun = len(re.findall(r'"event": "(?:flush|compaction)_started"', text))
    return begun > len(re.findall(r'"event": "(?:flush|compaction)_finished"', text))


def kill_once(run, tools, folder, settings, shape, pause_s):
    """Kills a writer `pause_s` after its first write. Whether that was in the middle of something."""
    database, acknowledged = folder / "db", folder / "acknowledged"
    command = [tools.workload, "write_acknowledged", database,
               *arguments(shape, acknowledged=acknowledged)]
    environment = hooked_environment(tools, settings, folder)
    environment["TEST_FAULT_COUNT"] = str(folder / "made")
    (folder / "made").unlink(missing_ok=True)
    run.commands.append(shell_line(command, environment))
    before = count_acknowledged(acknowledged)
    (folder / "log").unlink(missing_ok=True)
    writer = start(command, environment, folder / "log")
    end = now() + START_LIMIT_S
    while writer.poll() is None and count_acknowledged(acknowledged) == before and now() < end:
        time.sleep(0.005)
    time.sleep(pause_s)
    try:
        run.injected += int.from_bytes((folder / "made").read_bytes(), sys.byteorder)
    except OSError:
        pass
    if writer.poll() is not None:
        text = (folder / "log").read_text(errors="replace")[-300:]
        run.fail(CRASH if writer.returncode < 0 else UNWRITTEN,
                 f"the writer ended by itself, status {writer.returncode}: {text}")
        return False
    end_group(writer)
    alive.discard(writer)
    return is_in_the_middle(database)


def run_kills(tools, seed, keep=False):
    """One database, killed several times, with faults every other time. A Run for each kill, and how
    many of the kills were in the middle of a flush or a compaction."""
    chance = chance_of(seed)
    folder = fresh_folder(tools, f"kill-{seed}")
    shape = None
    runs = []
    in_the_middle = 0
    for i in range(KILLS_OF_A_DATABASE):
        run = Run("kill", seed)
        runs.append(run)
        settings = draw_settings(chance, seed + i, tools, "random" if i % 2 else "none")
        drawn = draw_shape(chance, seed, settings)
        # The keys and values stay those of the first; how they are stored changes.
        same = shape or drawn
        shape = {**drawn, "keys": same["keys"], "value_bytes": same["value_bytes"],
                 "seed": same["seed"], "buffer_bytes": 64 << 10}
        in_the_middle += kill_once(run, tools, folder, settings, shape, chance.uniform(0.02, 0.5))
        if run.trouble:
            break
        command = [tools.workload, "check_acknowledged", folder / "db",
                   *arguments(shape, acknowledged=folder / "acknowledged")]
        status = execute(run, command, stock_environment(tools), tools.limit_s, folder / "check.log")
        if not judge(run, status, folder / "check.log", f"kill {i}, read without rockpress",
                     tools.limit_s):
            break
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return runs, in_the_middle
