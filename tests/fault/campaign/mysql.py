# SPDX-License-Identifier: Apache-2.0
"""MyRocks in MariaDB: tables that are loaded under a plan of faults, and read without rockpress."""
import os
import shutil
import subprocess
import time
from pathlib import Path

from common import (CRASH, HANG, LOST, UNWRITTEN, WRONG, Run, Skipped, alive, chance_of, draw_settings,
                    end_group, fresh_folder, hooked_environment, last_line, now, shell_line,
                    start, stock_environment, take_counters)

N_ROWS = 30000
START_LIMIT_S = 60
# For a statement: the largest compacts some ten megabytes.
STATEMENT_LIMIT_S = 60
PLUGIN_FOLDERS = ["/usr/lib/mysql/plugin", "/usr/lib64/mysql/plugin", "/usr/lib/mariadb/plugin"]

# What a row has for a text, by its key and its version.
TEXT = "CONCAT('row ', id, ', version ', v, ': ', MD5(id + v * 1000003), REPEAT(MD5(id), 2), ' open')"
LOAD = [
    "CREATE DATABASE campaign",
    """CREATE TABLE campaign.t (id INT PRIMARY KEY, v INT NOT NULL, s VARCHAR(400) NOT NULL,
       KEY by_version (v, id)) ENGINE=ROCKSDB""",
    "INSERT INTO campaign.t (id, v, s) SELECT seq, 0, '' FROM campaign.seq_1_to_%d" % N_ROWS,
    f"UPDATE campaign.t SET s = {TEXT}",
    "SET GLOBAL rocksdb_force_flush_memtable_now = 1",
    f"UPDATE campaign.t SET v = 1, s = {TEXT} WHERE id % 3 = 0",
    "DELETE FROM campaign.t WHERE id % 11 = 5",
    "SET GLOBAL rocksdb_force_flush_memtable_now = 1",
    "SET GLOBAL rocksdb_compact_cf = 'default'",
]
# In MariaDB an assignment sees the values that are assigned before it, so s has the new version.
CHECK = (f"SELECT COUNT(*), SUM(s <> {TEXT}), SUM(v <> (id % 3 = 0)), SUM(id % 11 = 5) "
         "FROM campaign.t FORCE INDEX (PRIMARY)")
CHECK_INDEX = "SELECT COUNT(*), SUM(v) FROM campaign.t FORCE INDEX (by_version)"


class ServerError(Exception):
    """A statement that failed, or took too long."""
    def __init__(self, text, is_hang=False):
        super().__init__(text)
        self.is_hang = is_hang


def tool(*names):
    for name in names:
        found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if found:
            return found
    raise Skipped(f"no {names[0]}")


def plugin_folder():
    for folder in PLUGIN_FOLDERS:
        if (Path(folder) / "ha_rocksdb.so").exists():
            return folder
    raise Skipped("no ha_rocksdb.so (Debian: mariadb-plugin-rocksdb)")


def account():
    """mariadbd refuses to be the superuser's unless it is told so."""
    return ["--user=root"] if os.geteuid() == 0 else []


def make_template(tools):
    """An empty server's folder, which every plan gets a copy of."""
    plugin_folder()
    template = tools.folder / "mysql-template"
    if template.exists():
        return template
    tool("mariadbd", "mysqld")
    tool("mariadb", "mysql")
    made = tools.folder / "mysql-template.new"
    shutil.rmtree(made, ignore_errors=True)
    made.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([tool("mariadb-install-db", "mysql_install_db"), "--no-defaults", *account(),
                    f"--datadir={made}", "--auth-root-authentication-method=normal",
                    "--skip-test-db"], check=True, env=stock_environment(tools),
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made.rename(template)
    return template


class Server:
    """A server of its own, reached by a socket only."""
    def __init__(self, folder, environment, families):
        self.folder = folder
        self.environment = environment
        self.socket = folder / "socket"
        self.log = folder / "server.log"
        self.command = [
            tool("mariadbd", "mysqld"), "--no-defaults", *account(), f"--datadir={folder / 'data'}",
            f"--socket={self.socket}", "--skip-networking", f"--pid-file={folder / 'pid'}",
            f"--plugin-dir={plugin_folder()}", "--plugin-load-add=ha_rocksdb",
            "--plugin-maturity=unknown", "--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M",
            "--skip-log-bin", "--rocksdb-block-cache-size=8M",
            "--rocksdb-flush-log-at-trx-commit=0", f"--rocksdb-default-cf-options={families}",
        ]
        self.process = start(self.command, environment, self.log)

    def statement(self, text, limit_s=STATEMENT_LIMIT_S):
        clean = {k: v for k, v in self.environment.items() if k != "LD_PRELOAD"}
        try:
            done = subprocess.run([tool("mariadb", "mysql"), "--no-defaults", f"--socket={self.socket}",
                                   "--user=root", "--batch", "--skip-column-names", "-e", text],
                                  env=clean, timeout=limit_s, capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            raise ServerError(f"over {limit_s} s: {text[:60]}", is_hang=True) from None
        if done.returncode != 0:
            raise ServerError(f"{text[:60]}: {done.stderr.strip()}")
        return done.stdout.strip()

    def wait_until_up(self):
        end = now() + START_LIMIT_S
        while now() < end:
            if self.process.poll() is not None:
                raise ServerError(f"the server ended: {last_line(self.log)}")
            try:
                self.statement("SELECT 1", 10)
                return
            except ServerError:
                time.sleep(0.1)
        raise ServerError(f"the server was not up after {START_LIMIT_S} s", is_hang=True)

    def stop(self):
        self.statement("SHUTDOWN", 30)
        try:
            self.process.wait(timeout=START_LIMIT_S)
        except subprocess.TimeoutExpired:
            raise ServerError("the server did not end", is_hang=True) from None
        if self.process.returncode != 0:
            raise ServerError(f"the server ended with {self.process.returncode}")

    def kill(self):
        end_group(self.process)
        alive.discard(self.process)


def check(run, server, who):
    """Every row against what it must have."""
    kept = N_ROWS - sum(1 for i in range(1, N_ROWS + 1) if i % 11 == 5)
    newer = sum(1 for i in range(1, N_ROWS + 1) if i % 3 == 0 and i % 11 != 5)
    found = server.statement(CHECK).split("\t")
    if found[0] != str(kept) or found[3] != "0":
        run.fail(LOST, f"{who}: {found[0]} rows, {kept} expected, {found[3]} that were deleted")
    if found[1] != "0" or found[2] != "0":
        run.fail(WRONG, f"{who}: {found[1]} texts and {found[2]} versions are wrong")
    found = server.statement(CHECK_INDEX)
    if found != f"{kept}\t{newer}":
        run.fail(LOST, f"{who}: the index has {found!r}, expected {kept} and {newer}")
    if server.statement("CHECKSUM TABLE campaign.t").endswith("NULL"):
        run.fail(LOST, f"{who}: the table has no checksum")


def with_server(run, folder, environment, families, what, work):
    """Starts a server, does the work, and ends it. Whether all was well."""
    server = Server(folder, environment, families)
    run.commands.append(shell_line(server.command, environment))
    try:
        server.wait_until_up()
        work(server)
        server.stop()
        return not run.trouble
    except ServerError as error:
        died = server.process.poll()
        if error.is_hang:
            run.fail(HANG, f"{what}: {error}")
        elif died is not None and died != 0:
            run.fail(CRASH, f"{what}: the server ended with {died}: {error}")
        else:
            run.fail(UNWRITTEN if what == "loaded" else LOST, f"{what}: {error}")
        return False
    finally:
        server.kill()


def run_mysql(tools, seed, keep=False):
    """A server that loads a table under the plan, and one without rockpress that reads it."""
    template = make_template(tools)
    chance = chance_of(seed)
    settings = draw_settings(chance, seed, tools, chance.choice(["random", "late"]))
    block_bytes, level = chance.choice([4096, 16384]), chance.choice([1, 3, 6])
    dictionary = "16384:1073741824" if settings["BATCH"] == "on" else "0:0"
    families = ("compression=kZSTD;bottommost_compression=kZSTD;"
                f"compression_opts=-14:{level}:0:{dictionary};write_buffer_size=1m;"
                "target_file_size_base=1m;max_bytes_for_level_base=4m;"
                f"block_based_table_factory={{block_size={block_bytes};no_block_cache=1;"
                "cache_index_and_filter_blocks=0;pin_l0_filter_and_index_blocks_in_cache=0}")
    folder = fresh_folder(tools, f"mysql-{seed}")
    shutil.copytree(template, folder / "data")
    run = Run("mysql", seed)

    def load(server):
        for text in LOAD:
            server.statement(text)
        check(run, server, "read with rockpress")

    good = with_server(run, folder, hooked_environment(tools, settings, folder), families, "loaded", load)
    take_counters(run, folder, must_be_there=good)
    if run.trouble in ("", WRONG, LOST):
        with_server(run, folder, stock_environment(tools), families, "read without rockpress",
                    lambda server: check(run, server, "read without rockpress"))
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return run
