# SPDX-License-Identifier: Apache-2.0
"""The results of a run: kept in a file after each step, taken up again, and summed up."""
import json
import os
import statistics

from measure import add_counters, routes
from rocksdb import Failure

# Results can be taken up again only where all of this is the same.
IDENTITY = ("settings", "versions", "machine", "through", "library")


class Results:
    """rows: a dict by name. Each has what Row.describe() says and
      runs               a list of Runner.measure()'s figures, and in which round they were measured
      compacted_bytes    size of all tables after a full compaction
      keys, sha256       what stock RocksDB read from each of the databases
      error              why the row was given up"""

    def __init__(self, path, head):
        self.path = path
        self.head = head
        self.rows = {}
        self.note = None

    def resume(self):
        """Takes up what the file has. Raises Failure where that was measured in another way."""
        if not self.path.exists():
            return
        try:
            kept = json.loads(self.path.read_text())
            # Rows without rockpress need no library.
            if self.head["library"] is None or kept["library"] is None:
                self.head["library"] = kept["library"] = self.head["library"] or kept["library"]
            for key in IDENTITY:
                if kept[key] != self.head[key]:
                    raise Failure(f"--resume: {self.path} has another {key}: {kept[key]}, and this is {self.head[key]}")
            rows = {row["name"]: row for row in kept["rows"]}
        except (ValueError, KeyError, TypeError) as error:
            raise Failure(f"--resume: {self.path} is no result of this program: {error!r}") from error
        self.rows = rows

    def begin(self, row):
        """The row's entry, a new one where there is none. Raises Failure if it is of other options. A row
        that had failed begins again."""
        described = row.describe()
        entry = self.rows.get(row.name)
        if entry is not None and {key: entry[key] for key in described} != described:
            raise Failure(f"--resume: the row {row.name!r} of {self.path} has other options or variables")
        if entry is None or "error" in entry:
            entry = self.rows[row.name] = {**described, "runs": []}
        if entry["runs"] and "sha256" not in entry:
            # The program ended before it had checked the row: the next run is one whose database is there.
            entry["runs"].pop()
        return entry

    def sort(self, names):
        """Puts rows of these names first, in this order."""
        first = [name for name in names if name in self.rows]
        self.rows = {name: self.rows[name] for name in first + [name for name in self.rows if name not in first]}

    def save(self):
        if self.path is None:
            return
        data = {**self.head, "note": self.note, "rows": [{**row, **self.summary(row)} for row in self.rows.values()]}
        new = self.path.with_name(self.path.name + ".new")
        new.write_text(json.dumps(data, indent=1) + "\n")
        os.replace(new, self.path)

    def reference(self):
        """A row without rockpress whose content was read, or None."""
        read = [row for row in self.rows.values() if row["environment"] is None and "sha256" in row and "error" not in row]
        return read[0] if read else None

    def median_cpu(self, name):
        row = self.rows.get(name)
        return summary_of(row)["cpu_s"] if row and row["runs"] and "error" not in row else None

    def ratios(self, row, name):
        """CPU and elapsed time as multiples of another row's: medians of the ratios within a round, which
        load of the machine that comes and goes changes less than medians of times. None without a round of
        both."""
        other = self.rows.get(name)
        if other is None or "error" in other or other is row:
            return None
        others = {run["round"]: run for run in other["runs"]}
        pairs = [(run, others[run["round"]]) for run in row["runs"] if run["round"] in others]
        return {key: statistics.median(run[key] / of[key] for run, of in pairs) for key in ("cpu_s", "elapsed_s")} if pairs else None

    def summary(self, row):
        """Medians over the runs, ratios, and for rockpress the shares of routes and of CPU time given back."""
        if not row["runs"] or "error" in row:
            return {}
        found = summary_of(row)
        found["ratios"] = {name: self.ratios(row, name) for name in ("lz4", "zstd")}
        if row["environment"] is not None:
            total = routes(add_counters(run["counters"] for run in row["runs"]))
            found["route_shares"] = {route: n / max(1, sum(total.values())) for route, n in total.items()}
            zstd, lz4 = self.median_cpu("zstd"), self.median_cpu("lz4")
            # Nothing can be given back where zstd has cost nothing.
            if zstd is not None and lz4 is not None and zstd > lz4:
                found["given_back"] = (zstd - found["cpu_s"]) / (zstd - lz4)
        return found


def summary_of(row):
    found = {}
    for key in ("cpu_s", "elapsed_s", "written_s", "largest_rss_bytes"):
        values = [run[key] for run in row["runs"] if run[key] is not None]
        found[key] = statistics.median(values) if values else None
    cpu = [run["cpu_s"] for run in row["runs"]]
    found["cpu_lowest_s"], found["cpu_highest_s"] = min(cpu), max(cpu)
    return found
