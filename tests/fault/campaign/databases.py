# SPDX-License-Identifier: Apache-2.0
"""Databases that are written under a plan of faults, and read again with and without rockpress."""
import shutil

from common import (Run, arguments, chance_of, draw_settings, draw_shape, execute, fresh_folder,
                    hooked_environment, judge, stock_environment, take_counters)

# Of the large ones. A host that is busy with other plans writes some 5 MB a second.
LARGE_LIMIT_S = 900


def write_and_check(run, tools, folder, settings, shape, limit_s):
    """Written and compared under the hook, then compared by a process without it."""
    database = folder / "db"
    log = folder / "log"
    status = execute(run, [tools.workload, "write", database, *arguments(shape)],
                     hooked_environment(tools, settings, folder), limit_s, log)
    # After a crash or a hang there are no counters, and not everything was written.
    good = judge(run, status, log, "written and read with rockpress", limit_s)
    take_counters(run, folder, must_be_there=good)
    is_whole = status is not None and status >= 0 and status not in (5, 7)
    status = execute(run, [tools.workload, "check" if is_whole else "check_partly", database,
                           *arguments(shape)], stock_environment(tools), limit_s, log)
    if status != 0 and not is_whole:
        # Worse than the trouble that cut it short.
        run.trouble = ""
    judge(run, status, log, "read without rockpress", limit_s)
    return run


def run_unit(tools, seed, keep=False):
    """A database of a megabyte or two."""
    chance = chance_of(seed)
    settings = draw_settings(chance, seed, tools)
    shape = draw_shape(chance, seed, settings)
    folder = fresh_folder(tools, f"unit-{seed}")
    run = write_and_check(Run("unit", seed), tools, folder, settings, shape, tools.limit_s)
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return run


def run_large(tools, seed, megabytes, keep=False):
    """A database of `megabytes`, as db_bench fills them: files of 16 MiB, several levels."""
    chance = chance_of(seed)
    # Most faults make rockpress give the device up, so half of them come late.
    settings = draw_settings(chance, seed, tools, chance.choice(["random", "late"]))
    shape = draw_shape(chance, seed, settings)
    shape["value_bytes"] = chance.choice([100, 400])
    shape["keys"] = megabytes * 1000000 // (shape["value_bytes"] + 20)
    shape["buffer_bytes"] = 8 << 20
    folder = fresh_folder(tools, f"db-{seed}")
    run = write_and_check(Run("db", seed), tools, folder, settings, shape, LARGE_LIMIT_S)
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return run
