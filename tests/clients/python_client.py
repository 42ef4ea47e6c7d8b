# SPDX-License-Identifier: Apache-2.0
"""python_client.py write|read <package> <scenario> <database>

Fills a database through a Python package that has RocksDB inside, or prints a digest of all that it
holds. The content depends on nothing but the scenario. The program knows nothing of rockpress. Exit
status 3: this package has no way to ask for the scenario.
"""

import ctypes
import glob
import hashlib
import os
import sys

CANNOT = 3  # exit status
KEYS = 24000
# What each scenario asks of RocksDB, as text.
TEXT = {
    "plain": "",
    "dictionary": "compression_opts={level=3;max_dict_bytes=16384;zstd_max_train_bytes=1048576};",
    "wal": "wal_compression=kZSTD;",
    "blob": "enable_blob_files=true;min_blob_size=300;blob_compression_type=kZSTD;",
}
COMMON = (
    "create_if_missing=true;compression=kZSTD;write_buffer_size=1048576;"
    "target_file_size_base=1048576;block_based_table_factory={block_size=4096};"
)


def key(i):
    return b"user:%08d" % i


def value(scenario, i):
    seed = i * 0x9E3779B1 & 0xFFFFFFFF
    text = ""
    for _ in range(8 if scenario == "blob" else 1):
        seed = (seed * 1103515245 + 12345) & 0xFFFFFFFF
        text += '{"id":%d,"customer":"C%d","state":"%s","token":"%x"}' % (
            i,
            seed % 5000,
            "open" if seed % 3 == 0 else "delivered",
            seed,
        )
    return text.encode()


def unsupported(why):
    print("not possible: " + why)
    sys.exit(CANNOT)


class Rocksdict:
    """A Rust extension, RocksDB and zstd static inside. It knows no option for the log's compression,
    but takes what stands in the database's own file of options."""

    def __init__(self, scenario, path):
        import rocksdict

        self.module = rocksdict
        if scenario == "wal":
            options, families = self.with_compressed_log(path)
        else:
            options, families = self.options(scenario), None
        self.db = rocksdict.Rdict(path, options, families)
        self.kept_in_log = scenario == "wal"

    def options(self, scenario):
        module = self.module
        options = module.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_compression_type(module.DBCompressionType.zstd())
        options.set_write_buffer_size((64 if scenario == "wal" else 1) << 20)
        options.set_target_file_size_base(1 << 20)
        table = module.BlockBasedOptions()
        table.set_block_size(4096)
        options.set_block_based_table_factory(table)
        if scenario == "dictionary":
            options.set_compression_options(-14, 3, 0, 16384)
            options.set_zstd_max_train_bytes(1 << 20)
        if scenario == "blob":
            options.set_enable_blob_files(True)
            options.set_min_blob_size(300)
            options.set_blob_compression_type(module.DBCompressionType.zstd())
        return options

    def with_compressed_log(self, path):
        if not glob.glob(path + "/OPTIONS-*"):
            self.module.Rdict(path, self.options("wal")).close()
        newest = sorted(glob.glob(path + "/OPTIONS-*"))[-1]
        with open(newest, encoding="utf-8") as file:
            text = file.read()
        if "wal_compression=" not in text:
            unsupported("this release of RocksDB has no wal_compression")
        with open(newest, "w", encoding="utf-8") as file:
            file.write(text.replace("wal_compression=kNoCompression", "wal_compression=kZSTD"))
        return self.module.Options.load_latest(path)

    def put(self, a, b):
        self.db[a] = b

    def finish(self):
        if not self.kept_in_log:
            self.db.flush()
            self.db.compact_range(None, None)
            self.db.close()

    def items(self):
        return self.db.items()


class Interface:
    """The C interface of the RocksDB that a package brings along as a shared library."""

    def __init__(self, package, scenario, path):
        __import__(package)
        with open("/proc/self/maps", encoding="utf-8") as maps:
            paths = {line.split()[-1] for line in maps if "librocksdb" in line}
        if len(paths) != 1:
            sys.exit("expected one librocksdb in the process, found %s" % sorted(paths))
        self.c = c = ctypes.CDLL(paths.pop())
        for name in ("options_create", "get_options_from_string", "writeoptions_create", "open",
                     "flushoptions_create", "readoptions_create", "create_iterator", "iter_key",
                     "iter_value", "iter_valid"):
            getattr(c, "rocksdb_" + name).restype = ctypes.c_void_p
        c.rocksdb_iter_valid.restype = ctypes.c_ubyte
        self.error = ctypes.c_char_p()
        base = ctypes.c_void_p(c.rocksdb_options_create())
        options = ctypes.c_void_p(c.rocksdb_options_create())
        text = COMMON + TEXT[scenario]
        if scenario == "wal":
            text = text.replace("write_buffer_size=1048576", "write_buffer_size=67108864")
        c.rocksdb_get_options_from_string(base, text.encode(), options, ctypes.byref(self.error))
        if self.error.value is not None:
            unsupported(self.error.value.decode())
        self.db = ctypes.c_void_p(
            c.rocksdb_open(options, path.encode(), ctypes.byref(self.error)))
        self.check("open")
        self.write_options = ctypes.c_void_p(c.rocksdb_writeoptions_create())
        self.kept_in_log = scenario == "wal"

    def check(self, what):
        if self.error.value is not None:
            sys.exit("%s: %s" % (what, self.error.value.decode()))

    def put(self, a, b):
        self.c.rocksdb_put(self.db, self.write_options, a, ctypes.c_size_t(len(a)), b,
                           ctypes.c_size_t(len(b)), ctypes.byref(self.error))
        self.check("put")

    def finish(self):
        if self.kept_in_log:
            return
        options = ctypes.c_void_p(self.c.rocksdb_flushoptions_create())
        self.c.rocksdb_flush(self.db, options, ctypes.byref(self.error))
        self.check("flush")
        self.c.rocksdb_compact_range(self.db, None, ctypes.c_size_t(0), None, ctypes.c_size_t(0))
        self.c.rocksdb_close(self.db)

    def items(self):
        c = self.c
        options = ctypes.c_void_p(c.rocksdb_readoptions_create())
        at = ctypes.c_void_p(c.rocksdb_create_iterator(self.db, options))
        size = ctypes.c_size_t()
        c.rocksdb_iter_seek_to_first(at)
        while c.rocksdb_iter_valid(at):
            pair = []
            for get in (c.rocksdb_iter_key, c.rocksdb_iter_value):
                start = get(at, ctypes.byref(size))
                pair.append(ctypes.string_at(start, size.value))
            yield pair
            c.rocksdb_iter_next(at)
        c.rocksdb_iter_get_error(at, ctypes.byref(self.error))
        self.check("iterator")


class Pyrex:
    """pybind11, a shared libzstd under a name of its own in the wheel."""

    def __init__(self, scenario, path):
        if scenario != "plain":
            unsupported("this package has no options for " + scenario)
        import pyrex

        options = pyrex.PyOptions()
        options.create_if_missing = True
        options.compression = pyrex.CompressionType.kZSTD
        options.write_buffer_size = 1 << 20
        self.db = pyrex.PyRocksDB(path, options)

    def put(self, a, b):
        self.db.put(a, b)

    def finish(self):
        self.db.close()

    def items(self):
        at = self.db.new_iterator()
        at.seek_to_first()
        while at.valid():
            yield at.key(), at.value()
            at.next()


class Amulet:
    """pybind11, zstd static inside, with its functions exported."""

    def __init__(self, scenario, path):
        if scenario != "plain":
            unsupported("this package has no options for " + scenario)
        import rocksdb

        self.db = rocksdb.RocksDB(path, create_if_missing=True)

    def put(self, a, b):
        self.db[a] = b

    def finish(self):
        self.db.compact()
        self.db.close()

    def items(self):
        return self.db.items()


def open_database(package, scenario, path):
    if package == "rocksdict":
        return Rocksdict(scenario, path)
    if package == "pyrex":
        return Pyrex(scenario, path)
    if package == "rocksdb":
        return Amulet(scenario, path)
    return Interface(package, scenario, path)


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in ("write", "read") or sys.argv[3] not in TEXT:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    _, what, package, scenario, path = sys.argv
    database = open_database(package, scenario, path)
    if what == "write":
        for i in range(KEYS):
            k = i * 4969 % KEYS
            database.put(key(k), value(scenario, k))
        database.finish()
        sys.stdout.flush()
        if scenario == "wal":
            # All of it is in the log then, as after a crash of the program.
            os._exit(0)
        return
    digest = hashlib.sha256()
    n = 0
    for a, b in database.items():
        digest.update(a)
        digest.update(b)
        n += 1
    print("%d keys %s" % (n, digest.hexdigest()))


main()
