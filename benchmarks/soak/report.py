"""What was measured, for people."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from benchmarks.soak.expected_state import PROMISES


def tell(results: Mapping[str, Any]) -> str:
    """Everything as one text."""
    machine, plan = results["machine"], results["plan"]
    parts = [
        f"# Sessionary, left running ({results['seconds'] / 60:.1f} minutes)",
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load_before']} before; "
        f"Python {machine['python']}, SQLite {machine['sqlite']}. {plan['clients']} clients on "
        f"these cores too, {plan['workers']} workers, durability full; a worker killed every "
        f"{plan['kill_every']:g} s, a backup every {plan['backup_every']:g} s.",
        "\n".join(f"- {name}: {text}" for name, text in _numbers(results).items()),
        "## Promises",
        "\n".join(_promise(name, each) for name, each in results["promises"].items()),
    ]
    return "\n\n".join(parts) + "\n"


def _numbers(results: Mapping[str, Any]) -> dict[str, str]:
    backups = [each["seconds"] for each in results["backups"]]
    memory = {name: _memory(each) for name, each in results["memory_mib"].items()}
    return {
        "requests answered": f"{results['requests']:,}, {results['per_second']:.0f} a second",
        "writes among them": f"{results['writes']:,}, of {results['sessions']:,} sessions",
        "reads took": _waits(results["waits_ms"]["read"]),
        "writes took": _waits(results["waits_ms"]["write"]),
        "killed workers": str(results["kills"]),
        "cut connections": str(results["cut"]),
        "answers of 503": str(results["unavailable"]),
        "backups": f"{len(backups)}, {median(backups):.1f} s each, the longest {max(backups):.1f} s"
        if backups
        else "none",
        "answered before the last backup": f"{results['in_last_backup']:,} sessions",
        "database, and its journal at most": f"{results['database_mib']:.0f} MiB, "
        f"{results['journal_mib']:.0f} MiB",
        "memory of all processes": memory["processes"],
        "memory of the worker that was never killed": memory["eldest"],
    }


def _waits(found: Mapping[str, float]) -> str:
    waits = ", ".join(f"{name} {found[name]:.0f} ms" for name in ("p50", "p99", "worst"))
    return f"{waits}, with all that was sent again"


def _memory(found: Mapping[str, float]) -> str:
    return (
        f"{found['first']:.0f} MiB in the first quarter, {found['last']:.0f} MiB in the last "
        f"({found['ratio']:.2f}), {found['most']:.0f} MiB at most"
    )


def _promise(name: str, verdict: Mapping[str, Any]) -> str:
    if not verdict["times"]:
        return f"- kept: {PROMISES[name]}"
    examples = "".join(f"\n  - {each}" for each in verdict["examples"])
    return f"- BROKEN {verdict['times']} times: {PROMISES[name]}{examples}"
