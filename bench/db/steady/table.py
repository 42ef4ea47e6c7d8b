# SPDX-License-Identifier: Apache-2.0
"""The table of a run, in Markdown, for a terminal and for docs/."""

HEAD = ("row", "CPU s", "lowest to highest", "elapsed s", "written after s", "compacted MB", "memory MB",
        "CPU, elapsed / LZ4's", "/ zstd's", "blocks by route", "of zstd's CPU given back")


def number(value, digits=1):
    return "" if value is None else f"{value:.{digits}f}"


def megabytes(value):
    return "" if value is None else f"{value / 1e6:.1f}"


def shares(found):
    taken = [(route, share) for route, share in found.items() if share > 0]
    return ", ".join(f"{route} {100 * share:.1f} %" for route, share in sorted(taken, key=lambda pair: -pair[1]))


def ratio(found):
    return f"{found['cpu_s']:.2f}, {found['elapsed_s']:.2f}" if found else ""


def cells(row, summary):
    if "error" in row:
        return [row["name"], f"failed: {row['error']}".replace("|", "/")]
    if not summary:
        return [row["name"], "not measured"]
    given = summary.get("given_back")
    return [row["name"], number(summary["cpu_s"]), f"{summary['cpu_lowest_s']:.1f} to {summary['cpu_highest_s']:.1f}",
            number(summary["elapsed_s"]), number(summary["written_s"]), megabytes(row.get("compacted_bytes")),
            megabytes(summary["largest_rss_bytes"]), ratio(summary["ratios"]["lz4"]),
            ratio(summary["ratios"]["zstd"]), shares(summary.get("route_shares", {})),
            "" if given is None else f"{100 * given:.0f} %"]


def heading(results):
    """Two sentences that say what the table is of."""
    head, s = results.head, results.head["settings"]
    versions, machine = head["versions"], head["machine"]
    library = head["library"]
    counts = {len(row["runs"]) for row in results.rows.values() if "error" not in row} or {0}
    runs = str(max(counts)) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    parts = [f"RocksDB {versions['rocksdb']}" + (" (built with assertions)" if versions["assertions"] else ""),
             f"libzstd {versions['libzstd']}", f"LZ4 {versions['lz4']}"]
    if library:
        parts.append(f"rockpress {library['version'] or '?'} by the {head['through']} ({library['sha256'][:8]})")
    where = [machine["cpu"], f"{machine['cores']} cores", *machine["gpus"], f"databases on {machine['databases_on']}"]
    return (f"{s['benchmarks']}: {s['processes']} x {s['num']} keys, values of {s['value_size']} bytes, block_size "
            f"{s['block_size']}, zstd level {s['level']}; medians of {runs} runs.\n"
            f"{', '.join(parts)}; {', '.join(where)}{'; ' + results.note if results.note else ''}.")


def table(results):
    lines = [list(HEAD)] + [cells(row, results.summary(row)) for row in results.rows.values()]
    lines = [line + [""] * (len(HEAD) - len(line)) for line in lines]
    text = ["| " + " | ".join(line) + " |" for line in lines]
    text.insert(1, "|" + "---|" * len(HEAD))
    return heading(results) + "\n\n" + "\n".join(text)
