# SPDX-License-Identifier: Apache-2.0
"""The rows of the table: who compresses, with which options of db_bench, in which environment."""
import re
import shlex

from rocksdb import Failure

# What sst_dump must find in the files: the old name, and RocksDB's number of it (10.5 and later).
COMPRESSIONS = {"none": ("NoCompression", ""), "lz4": ("LZ4", "04"), "zstd": ("ZSTD", "07")}


class Row:
    """name: in the table and for --rows. compression: of COMPRESSIONS. options: further ones of db_bench.
    environment: variables of a rockpress row; None for a row without rockpress."""

    def __init__(self, name, compression, options, environment=None):
        self.name = name
        self.compression = compression
        self.options = options
        self.environment = environment

    def is_rockpress(self):
        return self.environment is not None

    def flags(self, level):
        """level: of zstd."""
        leveled = [f"--compression_level={level}"] if self.compression == "zstd" else []
        return [f"--compression_type={self.compression}", *leveled, *self.options]

    def describe(self):
        return {"name": self.name, "compression": self.compression, "options": self.options, "environment": self.environment}


def stock():
    """The rows that are always there: they run without rockpress."""
    return [Row("none", "none", []), Row("lz4", "lz4", []), Row("zstd", "zstd", []),
            Row("zstd-8t", "zstd", ["--compression_parallel_threads=8"])]


def parse_rockpress(text):
    """NAME:VARIABLE=VALUE,...;OPTION OPTION... as a row. Raises Failure where it is something else."""
    form = "NAME:VARIABLE=VALUE,...;--option=value ..."
    name, colon, rest = text.partition(":")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9+_.-]*", name):
        raise Failure(f"--rockpress {text!r}: the name {name!r} is not of letters, digits and + _ . -; the form is {form}")
    if not colon:
        raise Failure(f"--rockpress {text!r}: no colon after the name; the form is {form}")
    variables, *options = rest.split(";")
    environment = {}
    for pair in filter(None, variables.split(",")):
        key, equals, value = pair.partition("=")
        if not equals or not re.fullmatch(r"[A-Z_][A-Z0-9_]*", key):
            raise Failure(f"--rockpress {text!r}: {pair!r} is not VARIABLE=VALUE; the form is {form}")
        if key in ("LD_PRELOAD", "ROCKPRESS_STATS"):
            raise Failure(f"--rockpress {text!r}: {key} is set by this program")
        environment[key] = value
    options = [option for part in options for option in shlex.split(part)]
    for option in options:
        if not option.startswith("--"):
            raise Failure(f"--rockpress {text!r}: {option!r} is not an option of db_bench; the form is {form}")
        if re.match(r"--(db|compression_type|compression_manager|options_file|benchmarks|use_existing_db)(=|$)", option):
            raise Failure(f"--rockpress {text!r}: {option.partition('=')[0]} is set by this program")
    return Row(name, "zstd", options, environment)


def choose(rockpress, names):
    """The rows of a run. rockpress: texts of --rockpress; names: those of --rows, or None for all."""
    rows = stock() + [parse_rockpress(text) for text in rockpress]
    known = [row.name for row in rows]
    for name in known:
        if known.count(name) > 1:
            raise Failure(f"--rockpress: the name {name!r} is there twice")
    if names is None:
        return rows
    for name in names:
        if name not in known:
            raise Failure(f"--rows: {name!r} is none of {', '.join(known)}")
    return [row for row in rows if row.name in names]
