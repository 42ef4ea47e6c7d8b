# SPDX-License-Identifier: Apache-2.0
"""What the parts of scripts/campaign share: a run under the hook, and what came of it."""
import os
import random
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

# What can be wrong, in the order of the table. Each is a reason to fail.
LOST, WRONG, CRASH, HANG = "lost", "wrong", "crash", "hang"
UNWRITTEN, UNCOUNTED, LEAK = "unwritten", "uncounted", "leak"
TROUBLES = [LOST, WRONG, CRASH, HANG, UNWRITTEN, UNCOUNTED, LEAK]
# The exit status of the workload (tests/fault/workload.h).
TROUBLE_OF_STATUS = {3: WRONG, 4: LOST, 5: UNWRITTEN, 6: LOST, 7: UNWRITTEN, 2: UNWRITTEN}


@dataclass
class Tools:
    """What was built, and how it is used."""
    hook: Path
    workload: Path
    folder: Path           # for databases
    device: str            # "drawn", or under every plan
    limit_s: float         # for a unit-sized database
    verify: str = None     # None: rockpress's default
    shared_launches: str = "drawn"
    library_path: str = ""  # of the RocksDB that the workload was built with


@dataclass
class Run:
    """One plan, and what came of it."""
    part: str
    seed: int
    trouble: str = ""  # of TROUBLES
    detail: str = ""
    injected: int = 0
    noticed: int = 0   # faults that rockpress counted
    delivered: int = 0  # frames of the device
    unproven: int = 0
    plan: str = ""     # what the device was to do
    commands: list = field(default_factory=list)

    def fail(self, trouble, detail):
        """Keeps the first trouble."""
        if not self.trouble:
            self.trouble, self.detail = trouble, " ".join(str(detail).split())[:300]
        return self


class Skipped(Exception):
    """Something that is needed is not installed."""


def stock_environment(tools):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ROCKPRESS_")}
    kept.pop("LD_PRELOAD", None)
    kept["LC_ALL"] = "C"
    if tools.library_path:
        kept["LD_LIBRARY_PATH"] = tools.library_path
    return kept


def hooked_environment(tools, settings, folder):
    """The same with the hook; its counters and the device's report are then in `folder`."""
    changed = stock_environment(tools)
    # Where the GPU's part is, if it is not where the build put it.
    if "ROCKPRESS_CUDA_LIBRARY" in os.environ:
        changed["ROCKPRESS_CUDA_LIBRARY"] = os.environ["ROCKPRESS_CUDA_LIBRARY"]
    changed.update({"ROCKPRESS_" + name: str(value) for name, value in settings.items()})
    if tools.verify is not None:
        changed["ROCKPRESS_VERIFY"] = tools.verify
    changed["LD_PRELOAD"] = str(tools.hook)
    changed["ROCKPRESS_STATS"] = str(folder / "stats")
    changed["ROCKPRESS_LOG"] = "error"
    changed["TEST_FAULT_REPORT"] = str(folder / "report")
    return changed


def shell_line(command, environment):
    """The command with what matters of its environment, for a person to repeat it."""
    words = [f"{k}={v}" for k, v in sorted(environment.items())
             if k.startswith(("ROCKPRESS_", "TEST_FAULT", "LD_"))]
    return " ".join(words + [str(word) for word in command])


# Processes that are still there when the campaign ends before its time.
alive = set()


def start(command, environment, log):
    """In a session of its own, so that all of it can be ended."""
    with open(log, "ab") as output:
        process = subprocess.Popen([str(word) for word in command], env=environment, stdout=output,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   start_new_session=True)
    alive.add(process)
    return process


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def end_all():
    for process in list(alive):
        if process.poll() is None:
            end_group(process)


def execute(run, command, environment, limit_s, log):
    """Runs it; its exit status, negative after a signal, or None when it was over the limit."""
    run.commands.append(shell_line(command, environment))
    Path(log).unlink(missing_ok=True)
    process = start(command, environment, log)
    try:
        status = process.wait(timeout=limit_s)
        alive.discard(process)
        return status
    except subprocess.TimeoutExpired:
        note_stacks(process, Path(log).parent / "stacks")
        end_group(process)
        alive.discard(process)
        return None


def note_stacks(process, path):
    """Where each thread of a process that hangs is, if there is a debugger. For whoever repeats it."""
    debugger = shutil.which("gdb")
    if debugger is None:
        return
    try:
        with open(path, "wb") as output:
            subprocess.run([debugger, "-p", str(process.pid), "-batch", "-ex", "thread apply all bt 12"],
                           stdout=output, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        pass


def last_line(log):
    try:
        lines = Path(log).read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    # What the hook has to say comes first, and is not what is wrong.
    said = [line for line in lines if not line.startswith("rockpress: ")]
    return said[-1] if said else ""


def judge(run, status, log, what, limit_s):
    """Notes what the workload's end says. Whether all was well."""
    if status is None:
        run.fail(HANG, f"{what}: over {limit_s:g} s")
    elif status < 0:
        run.fail(CRASH, f"{what}: signal {-status}: {last_line(log)}")
    elif status != 0:
        run.fail(TROUBLE_OF_STATUS.get(status, CRASH), f"{what}: status {status}: {last_line(log)}")
    return status == 0


def read_counters(path):
    """name or name{label="x"}: value; empty without a report."""
    counters = {}
    try:
        text = path.read_text()
    except OSError:
        return counters
    for line in text.splitlines():
        found = re.match(r'rockpress_(\w+(?:\{.*\})?) (\d+)$', line)
        if found:
            counters[found.group(1)] = int(found.group(2))
    return counters


def family(counters, name):
    """The counters of one name, by label."""
    found = {}
    for key, value in counters.items():
        match = re.match(r'(\w+)\{\w+="(.*)"\}$', key)
        if match and match.group(1) == name:
            found[match.group(2)] = value
    return found


def take_counters(run, folder, must_be_there):
    """Adds up what was injected, noticed and delivered, and whether each block is accounted for."""
    counters = read_counters(folder / "stats")
    report = folder / "report"
    if report.exists():
        text = report.read_text()
        found = re.search(r"^made (\d+)$", text, re.M)
        run.injected += int(found.group(1)) if found else 0
        run.plan = ", ".join(re.findall(r"^injection (\S+)", text, re.M))
    if not counters:
        if must_be_there:
            run.fail(UNCOUNTED, "no counters: the hook was not used")
        return
    blocks = family(counters, "blocks_total")
    fallbacks = sum(family(counters, "fallbacks_total").values())
    run.noticed += sum(family(counters, "faults_total").values())
    run.delivered += blocks.get("direct", 0) + blocks.get("batch", 0)
    run.unproven += counters.get("unproven_frames_total", 0)
    if blocks.get("cpu", 0) != fallbacks:
        run.fail(UNCOUNTED, f"{blocks.get('cpu', 0)} blocks on the CPU, {fallbacks} reasons for it")


def draw_settings(chance, seed, tools, plan="random"):
    """Of rockpress: the device and its plan, and what else changes its ways. All else is default."""
    # On these the workers, copies and time limits are those of a GPU.
    device = chance.choice(["host", "copied", "mapped", "mapped"])
    if tools.device != "drawn":
        device = tools.device
    drawn = {
        "DEVICE": f"fault:{seed}:{plan}:{device}",
        "GOAL": "device",
        "BATCH": chance.choice(["off", "on"]),
        "TIMEOUT_MS": chance.choice([20, 50, 100, 1000]),
        "BREAKER_RETRY_MS": chance.choice([1, 10, 100]),
        "SHARED_LAUNCHES": chance.choice(["off", "on", "served", "served"]),
    }
    if tools.shared_launches != "drawn":
        drawn["SHARED_LAUNCHES"] = tools.shared_launches
    return drawn


def draw_shape(chance, seed, settings):
    """Of a database of a megabyte or two, with the names that the workload has for it."""
    dictionary, training = chance.choice([(0, 0)] * 4 + [(4096, 0), (8192, 65536)])
    if settings["BATCH"] == "on":
        dictionary, training = 16384, 1 << 30
    return {
        "block_bytes": chance.choice([4096, 4096, 16384, 16384, 1024, 65536]),
        "level": chance.choice([1, 3, 3, 6]),
        "keys": chance.choice([1500, 3000, 5000]),
        "value_bytes": chance.choice([80, 200, 200, 400]),
        "threads": chance.choice([1, 1, 2, 4]),
        "dict_bytes": dictionary,
        "train_bytes": training,
        "buffer_bytes": chance.choice([128, 256, 512]) << 10,
        "seed": seed % (1 << 32),
    }


def arguments(shape, **more):
    return [f"{name}={value}" for name, value in {**shape, **more}.items()]


def fresh_folder(tools, name):
    folder = tools.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def chance_of(seed):
    return random.Random(seed)


def now():
    return time.monotonic()
