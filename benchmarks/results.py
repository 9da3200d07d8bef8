"""Finds the value of each target in the results, with a note on it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks import growth, loopback

Results = Mapping[str, Any]  # by part
Finding = tuple[float, str]


class Void(Exception):
    """A value that means nothing, as the machine had other work; the message says so."""

    def __init__(self, value: float, note: str) -> None:
        super().__init__(note)
        self.value = value


def in_process(operation: str) -> Callable[[Results], Finding]:
    def find(results: Results) -> Finding:
        found = results["in-process"]
        if operation not in found:
            raise KeyError(f"{operation}: install the extra `bench`")
        surfaces = found[operation]["surfaces"]
        return _worst({name: each["over_hello"] for name, each in surfaces.items()}, max)

    return find


def full_durability(results: Results) -> Finding:
    surfaces = results["in-process"]["create (full)"]["surfaces"]
    found = {name: each["throughput_of_raw_insert"] for name, each in surfaces.items()}
    return _worst(found, min)


def over(
    rival: str, operation: str, *, ours: str = loopback.OURS, connections: int = 8
) -> Callable[[Results], Finding]:
    """The rate of ours over a rival's; Void where requests failed or the machine was busy."""

    def find(results: Results) -> Finding:
        compared = results["loopback"]["connections"][f"{connections} {operation}"]
        rows = {(row["ours"], row["theirs"]): row for row in compared["rows"]}
        if (ours, rival) not in rows:
            raise KeyError(rival)
        row = rows[ours, rival]
        rates = [compared["servers"][name]["per_second"] for name in (ours, rival)]
        note = f"{ours} {rates[0]:.0f}, {rival} {rates[1]:.0f} per second"
        if row["void"]:
            raise Void(row["ratio"], f"VOID: {row['void']}; {note}")
        return row["ratio"], note

    return find


def failures(results: Results) -> Iterator[str]:
    """Yield a sentence for each part in which a request was refused or failed."""
    yield from loopback.failures(results.get("loopback", {}))
    refused = results.get("start", {}).get("memory", {}).get("refused")
    if refused:
        yield f"start: {refused} requests were refused or failed"


def pages(results: Results) -> Finding:
    found = {
        f"{surface} {name}": each["largest_over_smallest"]
        for surface, named in results["growth"]["surfaces"].items()
        for name, each in named.items()
        if name == growth.FIRST_PAGE or "cursor" in name
    }
    return _worst(found, max, _sizes(results))


def total(results: Results) -> Finding:
    named = results["growth"]["surfaces"]["scale"]
    found = {name: named[name]["largest_over_smallest"] for name in _WITH_TOTAL}
    return _worst(found, max, _sizes(results))


_WITH_TOTAL = (growth.FIRST_PAGE, "list with archived", "filtered list (account_id)")


def _sizes(results: Results) -> str:
    sizes = results["growth"]["sizes"]
    return f" ({sizes[-1]:,} over {sizes[0]:,} rows)"


def _worst(found: Mapping[str, float], choose: Callable[..., float], more: str = "") -> Finding:
    return choose(found.values()), ", ".join(f"{name} {x:.2f}" for name, x in found.items()) + more


def errors(results: Results) -> Finding:
    found = results["contention"]
    return len(found["errors"]), f"{found['per_second']:.0f} writes per second"


def worst_wait(results: Results) -> Finding:
    found = results["contention"]
    return found["worst_ms"], f"p99 {found['p99_ms']:.1f} ms, fairness {found['fairness']:.2f}"


def cold(results: Results) -> Finding:
    found = results["start"]
    kept = found["first_answer_on_a_kept_file_s"]
    note = f"on a new file; on a kept one {kept:.2f} s; SIGTERM to exit {found['stop_s']:.2f} s"
    return found["first_answer_on_a_new_file_s"], note


def idle(results: Results) -> Finding:
    idle = results["start"]["memory"]["idle"]
    note = f"largest process {idle['largest']:.0f}, sum of resident sizes {idle['sum']:.0f} MiB"
    return idle["shared"], f"both processes, shared pages counted once; {note}"


def after(results: Results) -> Finding:
    memory = results["start"]["memory"]
    sizes = (f"after {n}: {each['sum']:.1f} MiB" for n, each in memory["after"].items())
    return memory["growth"], ", ".join(sizes)


def namespaces(name: str) -> Callable[[Results], Finding]:
    """An operation on namespaces of a double, in milliseconds."""

    def find(results: Results) -> Finding:
        found = results["doubles"]
        size = found["forked_bytes"] // 1024
        return found[name], f"in process{f', of {size} KiB' if name == 'fork_ms' else ''}"

    return find


def transitions(name: str) -> Callable[[Results], Finding]:
    """A read of what comes next, in milliseconds, at the largest number of open sessions."""

    def find(results: Results) -> Finding:
        *_, (count, took) = results["transitions"][f"{name}_ms"].items()
        return took, f"in process, at {int(count):,} open sessions of each surface"

    return find


def past(*names: str) -> Callable[[Results], Finding]:
    """The slowest of these reads of the past, in milliseconds, at the largest number of writes."""

    def find(results: Results) -> Finding:
        last = {name: list(results["past"][f"{name}_ms"].items())[-1] for name in names}
        took, note = _worst({name: each for name, (_, each) in last.items()}, max)
        return took, f"in process, {int(last[names[0]][0]):,} writes since: {note}"

    return find


def stall_wait(name: str, limit_ms: float) -> Callable[[Results], Finding]:
    """The worst wait of another client, in milliseconds; Void where only the machine was late."""

    def find(results: Results) -> Finding:
        found = results["stalls"][name]
        worst, alone = found["worst_ms"], found["without_machine_ms"]
        note = f"{found['note']}; {found['quiet_worst_ms']:.0f} ms before it"
        if worst > limit_ms >= alone:
            raise Void(worst, f"VOID: {alone:.0f} ms without waits for a CPU; {note}")
        return worst, note

    return find


def stall_memory(name: str) -> Callable[[Results], Finding]:
    """The peak of the memory of all processes of a server over that when idle, in MiB."""

    def find(results: Results) -> Finding:
        found = results["stalls"][name]
        return max(found["peak_mib"] - found["idle_mib"], 0), f"over {found['idle_mib']:.0f} MiB"

    return find


def double(name: str) -> Callable[[Results], Finding]:
    """A measurement of `sessionary double` as a process."""

    def find(results: Results) -> Finding:
        found = results["double"]
        return found[name], f"{found['namespaces']} namespaces" if name == "kib_a_namespace" else ""

    return find
