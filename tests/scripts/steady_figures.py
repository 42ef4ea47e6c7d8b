# SPDX-License-Identifier: Apache-2.0
"""steady_figures.py <tree>: what bench/db/steady makes of figures that are made up: medians, shares, the
table, what is taken up again; and what it reads from texts of RocksDB's tools and options of its own."""
import json
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1] + "/bench/db/steady")
import check  # noqa: E402
import measure  # noqa: E402
import rows  # noqa: E402
from rocksdb import Failure, last_words  # noqa: E402
from results import Results  # noqa: E402
from table import table  # noqa: E402

wrong = 0


def expect(what, got, wanted):
    global wrong
    if got != wanted:
        print(f"WRONG: {what}: {got!r}, not {wanted!r}")
        wrong += 1


def refused(what, text, function, *arguments):
    try:
        function(*arguments)
        expect(what, "accepted", text)
    except Failure as failure:
        if text not in str(failure):
            expect(what, str(failure), text)


def run(number, cpu, elapsed, written, counters=None):
    figures = {"round": number, "cpu_s": cpu, "user_s": cpu, "sys_s": 0.0, "elapsed_s": elapsed, "written_s": written,
               "largest_rss_bytes": 5000000 + number, "load_before": 0.0}
    return {**figures, "counters": counters} if counters else figures


HEAD = {"settings": {"benchmarks": "fillrandom", "processes": 2, "num": 1000, "value_size": 400, "block_size": 4096, "level": 3},
        "versions": {"rocksdb": "7.8.3", "libzstd": "1.5.4", "lz4": None, "assertions": True},
        "machine": {"cpu": "a CPU", "cores": 2, "gpus": ["a GPU, 580.1"], "databases_on": "tmpfs"},
        "through": "hook", "library": {"file": "x.so", "version": "0.1.0", "sha256": "0123456789abcdef"}}


def made_auto():
    return rows.parse_rockpress("auto:ROCKPRESS_DEVICE=auto,X=;--a=1 --b")


def measured(path, head=None):
    results = Results(path, head or HEAD)
    made = {row.name: row for row in rows.stock() + [made_auto()]}
    lz4, zstd, auto = (results.begin(made[name]) for name in ("lz4", "zstd", "auto"))
    lz4["runs"] = [run(0, 12.0, 9.0, 8.0), run(1, 10.0, 7.0, None), run(2, 11.0, 8.0, 6.0)]
    zstd["runs"] = [run(0, 20.0, 9.0, 8.0), run(1, 31.0, 9.5, 8.0), run(2, 21.0, 9.0, 8.0)]
    # One block of another label, and what is no route.
    counters = {"blocks_total:batch": 6, "blocks_total:cpu": 1, "blocks_total:direct": 0, "fallbacks_total:router": 99}
    auto["runs"] = [run(0, 13.0, 9.0, 8.0, counters), run(1, 14.0, 9.0, 8.0, {"blocks_total:cpu": 1, "blocks_total:direct": 2})]
    auto["compacted_bytes"] = 1234567
    zstd.update(sha256="aa", keys=7)
    return results


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "results.json"
    results = measured(path)
    lz4, zstd, auto = (results.summary(results.rows[name]) for name in ("lz4", "zstd", "auto"))
    expect("median of 3", (lz4["cpu_s"], lz4["elapsed_s"], zstd["cpu_s"]), (11.0, 8.0, 21.0))
    expect("median without a run that has no jobs", lz4["written_s"], 7.0)
    expect("spread", (zstd["cpu_lowest_s"], zstd["cpu_highest_s"]), (20.0, 31.0))
    expect("memory", lz4["largest_rss_bytes"], 5000001)
    expect("given back", auto["given_back"], (21.0 - 13.5) / (21.0 - 11.0))
    expect("stock has no share", ["given_back" in lz4, "route_shares" in lz4], [False, False])
    expect("routes, of all runs", auto["route_shares"], {"batch": 0.6, "cpu": 0.2, "direct": 0.2})
    # Auto has no third round.
    expect("ratios within rounds", [auto["ratios"]["lz4"]["cpu_s"], auto["ratios"]["zstd"]["elapsed_s"]],
           [(13.0 / 12.0 + 14.0 / 10.0) / 2, (1.0 + 9.0 / 9.5) / 2])
    expect("a row with fewer rounds", results.ratios(results.rows["lz4"], "auto")["cpu_s"], (12.0 / 13.0 + 10.0 / 14.0) / 2)
    expect("ratios to itself, and of stock", [lz4["ratios"]["lz4"], lz4["ratios"]["zstd"]["elapsed_s"]], [None, 8.0 / 9.0])
    text = table(results)
    expect("row of the table", [line for line in text.splitlines() if line.startswith("| auto ")],
           ["| auto | 13.5 | 13.0 to 14.0 | 9.0 | 8.0 | 1.2 | 5.0 | 1.24, 1.14 | 0.55, 0.97 | batch 60.0 %, cpu 20.0 %, direct 20.0 % | 75 % |"])
    for part in ("2 x 1000 keys", "block_size 4096", "level 3", "2 to 3 runs", "RocksDB 7.8.3 (built with assertions)",
                 "rockpress 0.1.0 by the hook (01234567)", "a CPU, 2 cores, a GPU, 580.1, databases on tmpfs"):
        expect(f"{part!r} in the heading", part in text.split("\n\n")[0], True)
    expect("reference", results.reference()["name"], "zstd")

    # Without LZ4, or where it costs more than zstd, there is no share.
    for change in (lambda r: r.rows.pop("lz4"), lambda r: r.rows["lz4"]["runs"][1].update(cpu_s=30.0) or
                   r.rows["lz4"]["runs"][2].update(cpu_s=30.0), lambda r: r.rows["lz4"].update(error="x")):
        other = measured(None)
        change(other)
        expect("no share", "given_back" in other.summary(other.rows["auto"]), False)

    results.rows["lz4"]["error"] = "a | b"
    results.note = "a remark"
    results.save()
    kept = json.loads(path.read_text())
    expect("rows of the file", [row["name"] for row in kept["rows"]], ["lz4", "zstd", "auto"])
    expect("a failed row of the table", "| lz4 | failed: a / b |" in table(results), True)
    expect("a note", table(results).split("\n\n")[0].endswith("; a remark."), True)

    again = Results(path, HEAD)
    again.resume()
    expect("taken up", (len(again.rows["auto"]["runs"]), again.rows["zstd"]["sha256"]), (2, "aa"))
    expect("a failed row begins again", again.begin(rows.stock()[1])["runs"], [])
    expect("a row that was not checked runs again", len(again.begin(made_auto())["runs"]), 1)
    expect("another one goes on", len(again.begin(rows.stock()[2])["runs"]), 3)
    refused("other options", "'auto' of", again.begin, rows.parse_rockpress("auto:"))
    for key in ("settings", "versions", "machine", "through", "library"):
        other = Results(path, {**HEAD, key: "another"})
        refused(f"another {key}", f"has another {key}", other.resume)
    for here, there in ((None, HEAD["library"]), (HEAD["library"], None)):
        stock = measured(path, {**HEAD, "library": there})
        stock.save()
        other = Results(path, {**HEAD, "library": here})
        other.resume()
        expect("the library of those that need one", other.head["library"], HEAD["library"])
    path.write_text("{")
    refused("a broken file", "no result of this program", Results(path, HEAD).resume)

    stats = Path(folder) / "stats"
    stats.write_text('# HELP x\nrockpress_blocks_total{route="cpu"} 3\nrockpress_lanes 2\nother{route="cpu"} 4\n')
    expect("counters", measure.read_counters(stats), {"blocks_total:cpu": 3, "lanes": 2})
    refused("no counters", "wrote no counters", measure.read_counters, Path(folder) / "none")
    expect("a sum", measure.add_counters([{"a": 1}, {"a": 2, "b": 3}]), {"a": 3, "b": 3})

    log = Path(folder) / "LOG"
    log.write_text('x EVENT_LOG_v1 {"time_micros": 2500000, "job": 1, "event": "flush_finished"}\n'
                   'x EVENT_LOG_v1 {"time_micros": 1500000, "job": 2, "event": "compaction_finished"}\n'
                   'x EVENT_LOG_v1 {"time_micros": 9900000, "job": 3, "event": "table_file_deletion"}\n')
    expect("end of the last job", measure.last_job_end(Path(folder)), 2.5)
    log.write_text("nothing\n")
    expect("no job", measure.last_job_end(Path(folder)), None)

# Time of all processes, and of a child of one of them; elapsed until the last has ended.
burn = "import time\nwhile time.process_time() < 0.3: pass"
with tempfile.TemporaryDirectory() as folder:
    one = [sys.executable, "-c", burn]
    other = ["/bin/sh", "-c", f'"$0" -c "$1"; sleep 0.5; echo done', sys.executable, burn]
    took = measure.run_together([one, other], [None, None], Path(folder), 60)
    expect("CPU of two processes", 0.55 < took.user_s + took.sys_s < 3, True)
    expect("elapsed of the slower one", took.elapsed_s > 0.75, True)
    expect("their output", took.outputs, ["", "done\n"])
    expect("their memory", 2**20 < took.largest_rss_bytes < 2**30, True)
    for text, reason in (("exit 3", "exit status 3"), ("kill -9 $$", "exit status -9"), ("echo Corruption: x", "Corruption: x"),
                         ("echo 'waitforcompaction(x): finished with status (IO error)'", "IO error")):
        refused(text, reason, measure.run_together, [["/bin/sh", "-c", text]], [None], Path(folder), 60)

for name, algorithm, wanted in (("zstd", "ZSTD", True), ("zstd", "NoCompression", False), ("none", "NoCompression", True),
                                ("lz4", "LZ4HC", False), ("zstd", "BuiltinV2;07;", True), ("zstd", "BuiltinV2;;", False),
                                ("zstd", "BuiltinV2;0407;", False), ("none", ";;", True), ("lz4", "BuiltinV2;04;", True)):
    expect(f"{name} and {algorithm}", check.has_compression(name, algorithm), wanted)

row = rows.parse_rockpress("cuda+batch:ROCKPRESS_DEVICE=cuda:1,ROCKPRESS_BATCH=on;--a=1 --b='x y';--c")
expect("a row", (row.name, row.environment, row.options),
       ("cuda+batch", {"ROCKPRESS_DEVICE": "cuda:1", "ROCKPRESS_BATCH": "on"}, ["--a=1", "--b=x y", "--c"]))
expect("its flags", row.flags(7), ["--compression_type=zstd", "--compression_level=7", "--a=1", "--b=x y", "--c"])
for text, reason in (("auto", "no colon"), (":A=b", "the name ''"), ("a b:", "the name 'a b'"), ("a:b", "'b' is not VARIABLE=VALUE"),
                     ("a:a=b", "'a=b' is not VARIABLE=VALUE"), ("a:;b", "'b' is not an option"), ("a:LD_PRELOAD=x", "LD_PRELOAD is set by"),
                     ("a:ROCKPRESS_STATS=x", "ROCKPRESS_STATS is set by"), ("a:;--db=x", "--db is set by"),
                     ("a:;--compression_type=lz4", "--compression_type is set by")):
    refused(text, reason, rows.parse_rockpress, text)
refused("twice", "'auto' is there twice", rows.choose, ["auto:", "auto:A=b"], None)
refused("a stock name", "'zstd' is there twice", rows.choose, ["zstd:"], None)
refused("an unknown row", "'lzma' is none of none, lz4, zstd, zstd-8t, auto", rows.choose, ["auto:"], ["lzma"])
expect("order of rows", [row.name for row in rows.choose(["auto:"], ["auto", "none"])], ["none", "auto"])
expect("last words", last_words("... finished 100 ops\rDB path: x\nopen error: no LZ4\nmore\n"), "open error: no LZ4")
expect("no words", last_words(""), "it says nothing")
sys.exit(wrong > 0)
