"""The report of a soak test as Markdown."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from benchmarks.soak.expected_state import PROMISES


def render(results: Mapping[str, Any]) -> str:
    """Render the whole report."""
    machine, plan = results["machine"], results["plan"]
    parts = [
        f"# Soak test of Sessionary ({results['seconds'] / 60:.1f} minutes)",
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load_before']} before; "
        f"Python {machine['python']}, SQLite {machine['sqlite']}. {plan['clients']} clients on "
        f"the same cores, {plan['workers']} workers, durability full; a worker killed every "
        f"{plan['kill_every']:g} s, a backup every {plan['backup_every']:g} s, the lock held by "
        f"another process for {plan['lock_seconds']:g} s every {plan['lock_every']:g} s, a seed of "
        f"{plan['seed_rows']:,} rows every {plan['seed_every']:g} s; {plan['idle']} idle and "
        f"{plan['never_reading']} never-reading connections.",
        "\n".join(f"- {name}: {text}" for name, text in _numbers(results).items()),
        "## Promises",
        "\n".join(_promise(name, each) for name, each in results["promises"].items()),
    ]
    return "\n\n".join(parts) + "\n"


def _numbers(results: Mapping[str, Any]) -> dict[str, str]:
    backups = [each["seconds"] for each in results["backups"]]
    slowest = f", {median(backups):.1f} s each, slowest {max(backups):.1f} s" if backups else ""
    memory = {name: _memory(each) for name, each in results["memory_mib"].items()}
    health = results["health"]
    return {
        "requests": f"{results['requests']:,}, {results['per_second']:.0f} per second; "
        f"{results['writes']:,} writes of {results['sessions']:,} sessions",
        "read latency": _waits(results["waits_ms"]["read"]),
        "write latency": _waits(results["waits_ms"]["write"]),
        "health checks": f"{health['in_time']:,} of {health['count']:,} in time; "
        f"{_waits(health['waits_ms'])}",
        "killed workers": f"{results['kills']}, with {results['lost_connections']} connections; "
        f"503 responses {results['unavailable']}",
        "foreign locks": f"{results['foreign_locks']}; seeds {results['seeds']}, refused "
        f"{results['refused_seeds']}; idle and unread connections {results['standing']:,}",
        "backups": f"{len(backups)}{slowest}; sessions confirmed before the last "
        f"{results['in_last_backup']:,}",
        "database, and maximum of its WAL": f"{results['database_mib']:.0f} MiB, "
        f"{results['wal_mib']:.0f} MiB",
        "memory of all processes": memory["processes"],
        "memory of the oldest worker": memory["oldest_worker"],
    }


def _waits(found: Mapping[str, float]) -> str:
    waits = ", ".join(f"{name} {found[name]:.0f} ms" for name in ("p50", "p99", "worst"))
    return f"{waits}, repeats included"


def _memory(found: Mapping[str, float]) -> str:
    return (
        f"{found['first']:.0f} MiB in the first quarter, {found['last']:.0f} MiB in the last "
        f"({found['ratio']:.2f}), maximum {found['max']:.0f} MiB"
    )


def _promise(name: str, violations: Mapping[str, Any]) -> str:
    if not violations["times"]:
        return f"- kept: {PROMISES[name]}"
    examples = "".join(f"\n  - {each}" for each in violations["examples"])
    return f"- BROKEN {violations['times']} times: {PROMISES[name]}{examples}"
