# SPDX-License-Identifier: Apache-2.0
"""Runs db_bench, on one or several databases at once, and says what that cost."""
import json
import os
import re
import signal
import subprocess
import threading
import time

from rocksdb import Failure, last_words


class Run:
    """What processes that ran at once took together."""

    def __init__(self, n):
        self.user_s = self.sys_s = self.elapsed_s = 0.0
        self.largest_rss_bytes = 0
        self.began = 0.0
        self.outputs = [""] * n

    def add(self, usage):
        self.user_s += usage.ru_utime
        self.sys_s += usage.ru_stime
        self.largest_rss_bytes = max(self.largest_rss_bytes, usage.ru_maxrss * 1024)


def run_together(commands, environments, folder, limit_s):
    """Starts all commands at once and waits for all. CPU time is that of each process and of the children
    that it waited for. Raises Failure if one fails, or takes longer than limit_s."""
    run, children, late = Run(len(commands)), {}, threading.Event()
    files = [open(folder / f"output-{i}", "w+", errors="replace") for i in range(len(commands))]

    def end():
        late.set()
        # Popen.kill() could take the exit status that wait4 waits for.
        for child in list(children.values()):
            if child.returncode is None:
                os.kill(child.pid, signal.SIGKILL)

    timer = threading.Timer(limit_s, end)
    statuses = [None] * len(commands)
    try:
        run.began, begun = time.time(), time.monotonic()
        timer.start()
        for i, command in enumerate(commands):
            children[i] = subprocess.Popen(command, env=environments[i], stdin=subprocess.DEVNULL, stdout=files[i],
                                           stderr=subprocess.STDOUT)
        for i in range(len(commands)):
            _, status, usage = os.wait4(children[i].pid, 0)
            ended = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            children[i].returncode = statuses[i] = ended
            run.add(usage)
        run.elapsed_s = time.monotonic() - begun
    except OSError as error:
        raise Failure(f"{commands[0][0]}: {error}") from error
    finally:
        timer.cancel()
        for child in children.values():
            if child.returncode is None:
                child.kill()
                child.wait()
        for i, file in enumerate(files):
            file.seek(0)
            run.outputs[i] = file.read()
            file.close()
    for i, command in enumerate(commands):
        text = run.outputs[i]
        if late.is_set():
            raise Failure(f"takes longer than {limit_s:g} s: {' '.join(command)}")
        finished = re.search(r"finished with status \((?!OK)[^)]*\)", text)
        if statuses[i] != 0 or "Corruption" in text or finished:
            raise Failure(f"exit status {statuses[i]}: {last_words(text)}: {' '.join(command)}")
    return run


def last_job_end(database):
    """When RocksDB's last flush or compaction ended, in seconds since 1970, by its LOG; None without any."""
    last = None
    for line in (database / "LOG").read_text(errors="replace").splitlines():
        found = re.search(r"EVENT_LOG_v1 (\{.*\})", line)
        if found and re.search(r'"event": "(flush|compaction)_finished"', found[1]):
            last = max(last or 0, json.loads(found[1])["time_micros"])
    return last and last / 1e6


def read_counters(path):
    """rockpress's counters. Raises Failure where there are none: then rockpress had no block."""
    if not path.exists():
        raise Failure("rockpress wrote no counters: it was not loaded, or RocksDB's calls of zstd do not reach it")
    counters = {}
    for line in path.read_text().splitlines():
        found = re.match(r'rockpress_(\w+)(?:\{\w+="([^"]*)"\})? (\d+)$', line)
        if found:
            counters[f"{found[1]}:{found[2]}" if found[2] else found[1]] = int(found[3])
    return counters


def routes(counters):
    """Blocks of each route."""
    return {key.partition(":")[2]: n for key, n in counters.items() if key.startswith("blocks_total:")}


def add_counters(all_counters):
    total = {}
    for counters in all_counters:
        for key, n in counters.items():
            total[key] = total.get(key, 0) + n
    return total


class Runner:
    """library: what is preloaded into rockpress rows. n: processes, each with a database of its own."""

    def __init__(self, rocksdb, library, folder, n, limit_s):
        self.rocksdb = rocksdb
        self.library = library
        self.folder = folder
        self.databases = [folder / f"database-{i}" for i in range(n)]
        self.limit_s = limit_s

    def run(self, row, flags):
        """Runs db_bench on all databases. flags: a function of row and database. Returns the Run and the
        counters of rockpress, added up, which are None for a stock row."""
        stats = [self.folder / f"counters-{i}" for i in range(len(self.databases))]
        environments = []
        for path in stats:
            path.unlink(missing_ok=True)
            environment = dict(self.rocksdb.environment)
            if row.is_rockpress():
                environment.update(row.environment)
                environment.update(LD_PRELOAD=str(self.library), ROCKPRESS_STATS=str(path))
            environments.append(environment)
        commands = [[self.rocksdb.paths["db_bench"], *flags(row, database)] for database in self.databases]
        run = run_together(commands, environments, self.folder, self.limit_s)
        if not row.is_rockpress():
            return run, None
        try:
            counters = add_counters(read_counters(path) for path in stats)
        except Failure as failure:
            said = [line for line in run.outputs[0].splitlines() if "rockpress" in line or "ld.so" in line]
            raise Failure(f"{failure}{': ' + said[0] if said else ''}") from None
        faults = {key: n for key, n in counters.items() if key.startswith("faults_total") and n > 0}
        if faults:
            raise Failure(f"faults of the device: {faults}")
        if sum(routes(counters).values()) == 0:
            raise Failure("rockpress was loaded and counted no block")
        return run, counters

    def measure(self, row, flags):
        """Runs the workload once, on new databases: a dict of the figures of one run."""
        load = os.getloadavg()[0]
        run, counters = self.run(row, flags)
        ends = [last_job_end(database) for database in self.databases]
        figures = {"cpu_s": run.user_s + run.sys_s, "user_s": run.user_s, "sys_s": run.sys_s, "elapsed_s": run.elapsed_s,
                   "written_s": max(ends) - run.began if None not in ends else None,
                   "largest_rss_bytes": run.largest_rss_bytes, "load_before": load}
        if counters is not None:
            figures["counters"] = counters
        return figures
