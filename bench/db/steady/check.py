# SPDX-License-Identifier: Apache-2.0
"""Whether a database is what its row says: its compression, all of its blocks, its keys and values.
RocksDB's tools run without rockpress here, so libzstd decodes every block."""
import hashlib
import re
import subprocess

from rocksdb import Failure, last_words
from rows import COMPRESSIONS

# Less than this share of the raw bytes, or the blocks were not compressed at all.
SHRUNK = 0.9


def properties(rocksdb, database):
    """A list with a dict for each table."""
    done = rocksdb.call("sst_dump", [f"--file={database}", "--command=none", "--show_properties"])
    tables = []
    for line in done.stdout.splitlines():
        if line.startswith("Table Properties:"):
            tables.append({})
        found = re.match(r"  ([^:]+): (.*)", line)
        if found and tables:
            tables[-1].setdefault(found[1], found[2].strip())
    files = len(list(database.glob("*.sst")))
    if files == 0:
        raise Failure("there is no SST file: too few keys for this write buffer, or nothing was flushed")
    if len(tables) != files:
        raise Failure(f"sst_dump shows properties of {len(tables)} tables, and there are {files} files: "
                      f"{last_words(done.stderr + done.stdout)}")
    return tables


def has_compression(name, algorithm):
    """algorithm: as sst_dump shows it: NoCompression or ZSTD; from 10.5 on the manager's name, the numbers of
    the compressions in the file and more, with semicolons: BuiltinV2;07; is zstd alone, and ;; is none."""
    old, number = COMPRESSIONS[name]
    return algorithm.split(";")[1] == number if ";" in algorithm else algorithm == old


def check_compression(rocksdb, row, database):
    """Raises Failure unless all tables have the row's compression. Returns the entries of all of them."""
    tables = properties(rocksdb, database)
    entries = raw = data = 0
    for table in tables:
        algorithm = table.get("SST file compression algo", "?")
        if not has_compression(row.compression, algorithm):
            raise Failure(f"a table has the compression {algorithm!r}, not {row.compression}")
        entries += int(table["# entries"])
        raw += int(table["raw key size"]) + int(table["raw value size"])
        data += int(table["data block size"])
    if row.compression != "none" and data > SHRUNK * raw:
        raise Failure(f"{data} bytes of blocks for {raw} of keys and values: they were not compressed")
    return entries


def count_keys(rocksdb, flags):
    """How many keys db_bench reads one after the other. It ends at a damaged block without a word, so the
    number is what tells."""
    done = rocksdb.call("db_bench", flags)
    found = re.search(r"readseq .*?(\d+) operations", done.stdout)
    if done.returncode != 0 or not found or "Corruption" in done.stderr + done.stdout:
        raise Failure(f"reading without rockpress: {last_words(done.stderr + done.stdout)}")
    return int(found[1])


def content(rocksdb, database):
    """SHA-256 of all keys and values in order, and how many there are."""
    digest, end = hashlib.sha256(), b""
    with subprocess.Popen([rocksdb.paths["ldb"], f"--db={database}", "dump", "--hex"], env=rocksdb.environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as dump:
        for part in iter(lambda: dump.stdout.read(1 << 20), b""):
            digest.update(part)
            end = (end + part)[-400:]
    found = re.search(rb"Keys in range: (\d+)\s*$", end)
    if dump.returncode != 0 or not found:
        raise Failure(f"ldb dump without rockpress: {last_words(end.decode(errors='replace'))}")
    return {"sha256": digest.hexdigest(), "keys": int(found[1])}


def size(database):
    return sum(file.stat().st_size for file in database.glob("*.sst"))
