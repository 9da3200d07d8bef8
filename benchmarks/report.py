"""The report: Markdown tables, aligned for a terminal."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import load, plot
from benchmarks.targets import Outcome

_ABOUT = (
    "Ratios are medians of those within each round of an alternating run; times are medians. "
    "In process, reads are measured in CPU time, writes in wall-clock time."
)


def write(folder: Path, results: Mapping[str, Any], text: str) -> None:
    """Write results.json, table.md, and a growth plot per surface."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    (folder / "table.md").write_text(text, encoding="utf-8")
    for name, calls in results["parts"].get("growth", {}).get("surfaces", {}).items():
        found = {
            label: {int(size): us for size, us in each["us"].items()}
            for label, each in calls.items()
        }
        (folder / f"growth-{name}.svg").write_text(
            plot.curves(f"{name}: time of a call by table size", found), encoding="utf-8"
        )


def render(results: Mapping[str, Any], targets: Iterable[Outcome]) -> str:
    """Render the whole report."""
    parts = results["parts"]
    found = [_machine(results), _ABOUT, "## Targets", _targets(targets)]
    for part, render_part in (
        ("in-process", _in_process),
        ("loopback", _loopback),
        ("growth", _growth),
        ("contention", _facts),
        ("start", _facts),
        ("doubles", _facts),
        ("double", _facts),
        ("past", _facts),
        ("transitions", _facts),
        ("stalls", _facts),
    ):
        if part in parts:
            found += [f"## {part}", _others(results["other_cpus"][part]), render_part(parts[part])]
    return "\n\n".join(found) + "\n"


def _others(cpus: float) -> str:
    void = ": VOID in wall-clock time" if cpus > load.MAX_OTHER_CPUS else ""
    return f"Other processes used {cpus:.2f} CPUs{void}."


def _machine(results: Mapping[str, Any]) -> str:
    machine = results["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"# Benchmark of Sessionary ({results['profile']}, {results['seconds']:.0f} s)\n\n"
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['system']}; load {machine['load_before']} before, "
        f"{machine['load_after']} after. "
        f"Python {machine['python']}, SQLite {machine['sqlite']}, {packages}."
    )


def _targets(targets: Iterable[Outcome]) -> str:
    words = {True: "yes", False: "NO", None: "-"}
    rows = [
        (each.description, each.limit, _number(each.measured), words[each.met], each.note)
        for each in targets
    ]
    return _table(("target", "limit", "measured", "met", "note"), rows)


def _in_process(found: Mapping[str, Any]) -> str:
    rows = [
        (
            operation,
            name,
            f"{each['us']:.0f} us",
            _number(each["over_hello"]),
            _number(each["over_raw"]),
            f"{each['raw_us']:.0f} us",
            f"{of['hello_us']:.0f} us",
        )
        for operation, of in found.items()
        for name, each in of["surfaces"].items()
    ]
    head = ("operation", "surface", "time", "÷ hello", "÷ raw sqlite3", "raw", "hello")
    return _table(head, rows)


def _loopback(found: Mapping[str, Any]) -> str:
    if "skipped" in found:
        return str(found["skipped"])
    rows = [
        (
            label,
            row["ours"],
            row["theirs"],
            _number(row["ratio"]),
            *_both(compared["servers"], row, "per_second", ".0f"),
            *_both(compared["servers"], row, "cpu_us_per_request", ".0f"),
            *_both(compared["servers"], row, "p99_ms", ".2f"),
            f"{compared['load_before']:.1f}",
            "" if row["void"] is None else f"VOID: {row['void']}",
        )
        for label, compared in found["connections"].items()
        for row in compared["rows"]
    ]
    head = (
        *("connections", "ours", "theirs", "ours ÷ theirs", "per second", "theirs"),
        *("CPU us each", "theirs", "p99 ms", "theirs", "load", "note"),
    )
    lines = [f"- {name}: {reason}" for name, reason in found["skipped_rivals"].items()]
    return "\n".join([f"Durability {found['durability']}.", "", _table(head, rows), "", *lines])


def _both(
    servers: Mapping[str, Any], row: Mapping[str, str], name: str, form: str
) -> tuple[str, str]:
    """Return a figure of ours and of theirs."""
    return format(servers[row["ours"]][name], form), format(servers[row["theirs"]][name], form)


def _growth(found: Mapping[str, Any]) -> str:
    sizes = [str(size) for size in found["sizes"]]
    rows = [
        (
            surface,
            name,
            *(f"{each['us'][size]:.0f}" for size in sizes),
            _number(each["largest_over_smallest"]),
        )
        for surface, calls in found["surfaces"].items()
        for name, each in calls.items()
    ]
    head = ("surface", "call", *(f"us at {int(size):,}" for size in sizes), "largest ÷ smallest")
    return _table(head, rows)


def _facts(found: Mapping[str, Any]) -> str:
    return "\n".join(f"- {name}: {_plain(value)}" for name, value in found.items())


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items())
    return f"{value:.3g}" if isinstance(value, float) and value < 1000 else str(value)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    )
