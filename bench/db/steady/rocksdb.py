# SPDX-License-Identifier: Apache-2.0
"""One RocksDB: its tools under a prefix, the environment that they need, and their versions."""
import ctypes
import os
import platform
import re
import subprocess
from pathlib import Path

TOOLS = ("db_bench", "ldb", "sst_dump")
# Of an installation, and of RocksDB's own build folder.
TOOL_FOLDERS = ("bin", "", "tools")
LIBRARY_FOLDERS = ("lib", "lib64", f"lib/{platform.machine()}-linux-gnu", "")


class Failure(Exception):
    """What is wrong, as one sentence."""


def clean_environment():
    """This process's environment without any preload or configuration of rockpress."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("ROCKPRESS_", "LD_PRELOAD", "METERED"))}


def last_words(text):
    """What a failed tool says of the cause: the first line with an error, or the last line."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", text)]
    lines = [line for line in lines if line and not line.startswith("... finished")]
    bad = [line for line in lines if re.search(r"error|corrupt|invalid|not found|cannot|unknown", line, re.I)]
    return (bad + lines[-1:] + ["it says nothing"])[0][:400]


class RocksDB:
    def __init__(self, prefix):
        """Finds the tools. Raises Failure where one is missing or does not run."""
        self.prefix = Path(prefix)
        self.paths = {tool: self._find(tool) for tool in TOOLS}
        self.environment = clean_environment()
        # Debian's folders are searched anyway, and must not come before those that the caller names.
        if self.prefix.resolve() != Path("/usr"):
            folders = [self.prefix / folder for folder in LIBRARY_FOLDERS]
            folders = [str(folder.resolve()) for folder in folders if any(folder.glob("librocksdb.so*"))]
            path = ":".join(folders + [p for p in [self.environment.get("LD_LIBRARY_PATH")] if p])
            if path:
                self.environment["LD_LIBRARY_PATH"] = path
        self.version = self._version()

    def _find(self, tool):
        places = [self.prefix / folder / tool for folder in TOOL_FOLDERS]
        for place in places:
            if os.access(place, os.X_OK) and place.is_file():
                return str(place.resolve())
        raise Failure(f"--prefix {self.prefix}: there is no {tool} in " + ", ".join(str(p.parent) for p in places))

    def _version(self):
        done = self.call("db_bench", ["--version"])
        found = re.search(r"version (\d+\.\d+(\.\d+)?)", done.stdout)
        if not found:
            raise Failure(f"{self.paths['db_bench']} --version: {last_words(done.stderr + done.stdout)}")
        return found[1]

    def has_manager(self):
        """Whether this release has CompressionManager."""
        return tuple(int(n) for n in self.version.split(".")[:2]) >= (10, 4)

    def call(self, tool, arguments):
        """Runs a tool without rockpress. Raises Failure only where it can't be started."""
        try:
            return subprocess.run([self.paths[tool], *arguments], env=self.environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, errors="replace")
        except OSError as error:
            raise Failure(f"{self.paths[tool]}: {error}") from error

    def library_version(self, name, function):
        """The version of a shared library that db_bench is linked with, such as 1.5.4, or None."""
        environment = dict(self.environment, LD_TRACE_LOADED_OBJECTS="1")
        try:
            done = subprocess.run([self.paths["db_bench"]], env=environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True, timeout=60)
            found = re.search(rf"{name}\.so\S* => (/\S+)", done.stdout)
            get = getattr(ctypes.CDLL(found[1]), function)
            get.restype = ctypes.c_char_p
            return get().decode()
        except (OSError, TypeError, AttributeError, UnicodeDecodeError, subprocess.TimeoutExpired):
            return None

    def versions(self):
        return {"rocksdb": self.version, "libzstd": self.library_version("libzstd", "ZSTD_versionString"),
                "lz4": self.library_version("liblz4", "LZ4_versionString")}
