# SPDX-License-Identifier: Apache-2.0
"""The workload: what db_bench is asked to do, the same for all rows."""
import re
import shutil
from pathlib import Path

from rocksdb import Failure, last_words

SEED = 20210415
# As in bench/db/compare: values are cut from a text of random printable pieces of 50 characters, each of
# which is there twice in a row (docs/benchmarks.md has how far that shrinks).
COMPRESSION_RATIO = 0.5


class Workload:
    """settings: a dict with num (keys), value_size, block_size, write_buffer, target_file_size, level_base
    (bytes), level (of zstd), background_jobs, benchmarks."""

    def __init__(self, rocksdb, settings, by_options_file):
        self.rocksdb = rocksdb
        self.settings = settings
        self.by_options_file = by_options_file
        self.options_files = {}

    def _flags(self, row):
        s = self.settings
        return [f"--num={s['num']}", f"--value_size={s['value_size']}", f"--seed={SEED}",
                f"--compression_ratio={COMPRESSION_RATIO}", f"--block_size={s['block_size']}",
                f"--write_buffer_size={s['write_buffer']}", f"--target_file_size_base={s['target_file_size']}",
                f"--max_bytes_for_level_base={s['level_base']}", f"--max_background_jobs={s['background_jobs']}",
                *row.flags(s["level"])]

    def write(self, row, database):
        """The options of db_bench that are measured."""
        return [f"--db={database}", *self._flags(row), *self._options_file(row), f"--benchmarks={self.settings['benchmarks']}"]

    def compact(self, row, database):
        """One full compaction. It would do nothing beside one that RocksDB has begun by itself."""
        return [f"--db={database}", *self._flags(row), *self._options_file(row, ".compact"), "--disable_auto_compactions=1",
                "--use_existing_db=1", "--benchmarks=compact"]

    def read(self, row, database):
        """Reads every key, without rockpress, and leaves the database as it is."""
        return [f"--db={database}", *self._flags(row), "--use_existing_db=1", "--readonly=1", "--benchmarks=readseq"]

    def _options_file(self, row, suffix=""):
        return [f"--options_file={self.options_files[row.name]}{suffix}"] if self.by_options_file else []

    def prepare(self, row, folder):
        """db_bench takes a CompressionManager from an options file only. So all rows have such a file, which
        this db_bench itself makes of the row's options: they differ in what the rows differ in."""
        if not self.by_options_file or row.name in self.options_files:
            return
        database, file = folder / "options-database", folder / f"options-{row.name}"
        flags = [flag for flag in self._flags(row) if not flag.startswith("--num=")]
        done = self.rocksdb.call("db_bench", [f"--db={database}", *flags, "--num=1", "--benchmarks=fillseq"])
        found = sorted(database.glob("OPTIONS-*"))
        if done.returncode != 0 or not found:
            raise Failure(f"db_bench makes no options file: {last_words(done.stderr + done.stdout)}")
        text = found[-1].read_text()
        shutil.rmtree(database)
        if row.is_rockpress():
            text = self._change(text, "compression_manager", "rockpress")
        file.write_text(text)
        Path(f"{file}.compact").write_text(self._change(text, "disable_auto_compactions", "true"))
        self.options_files[row.name] = file

    def _change(self, text, option, value):
        text, n = re.subn(rf"(?m)^( *{option})=.*", rf"\1={value}", text)
        if n == 0:
            raise Failure(f"RocksDB {self.rocksdb.version} has no {option} in its options file")
        return text

    def check_manager(self, row, database):
        """RocksDB ignores a manager that it does not know, and says so in the file that it writes. Raises
        Failure then."""
        if not self.by_options_file or not row.is_rockpress():
            return
        newest = max(database.glob("OPTIONS-*"))
        found = re.search(r"(?m)^ *compression_manager=(.*)", newest.read_text())
        if not found or found[1] != "rockpress":
            raise Failure(f"RocksDB has not taken the manager rockpress ({found[1] if found else 'none'}): the library is not "
                          f"the adapter, or is for another release than {self.rocksdb.version}")
