"""The clients that a worker waits for: for how long, and who goes when there are too many."""

import time
from typing import Any

from sessionary.http_server.connection import Client
from sessionary.http_server.shutdown import EndingWorker

_LAST_SECONDS = 2.0  # for a client to read its last answer and close
_SWEEP_SECONDS = 1.0  # between two looks at who is overdue, and two signs of life
_MUCH, _MOST = 64 * 1024, 64 * 1024 * 1024  # bytes of one client, and of all who have so much


class WaitingWorker(EndingWorker):
    """A worker that waits for none for ever, and for none at the cost of all others."""

    longest_body = 4 * 1024 * 1024  # the application refuses a longer one unread
    client_timeout_seconds = 60.0  # with a handshake, a request and the reading of an answer
    _swept_at = 0.0
    _told_at = 0.0

    def notify(self) -> None:
        """Tell the parent that it lives: before each request, but not by a system call for each."""
        now = time.monotonic()
        if not self._told_at or now >= self._told_at + _SWEEP_SECONDS:
            self._told_at = now
            super().notify()

    def wait_for(self, client: Client) -> None:
        now = time.monotonic()
        if client.due is None:
            client.timeout = now + self.cfg.keepalive
        else:
            client.timeout = client.due
        if client.is_leaving or not self.alive:
            client.timeout = min(client.timeout, now + _LAST_SECONDS)
        self.keepalived_conns.append(client)

    def murder_keepalived(self, force: bool = False) -> None:
        """Close who is overdue: gunicorn looks at the first alone, as if all had as long."""
        now = time.monotonic()
        if self.alive and not force and now < self._swept_at + _SWEEP_SECONDS:
            return
        self._swept_at = now
        waiting: Any = self.keepalived_conns
        for client in [each for each in waiting if force or each.timeout <= now]:
            self._drop(client)

    def make_room(self) -> None:
        """Let go of who has waited longest, and first of those who have not proved to be honest."""
        waiting: Any = self.keepalived_conns
        if waiting:
            self._drop(next((each for each in waiting if not each.is_idle()), waiting[0]))

    def spare_memory(self, client: Client) -> None:
        """Let go of who has sent much and waited longest, if all together have sent too much."""
        if len(client.arrived) <= _MUCH:
            return
        waiting: Any = self.keepalived_conns
        others = [each for each in waiting if len(each.arrived) > _MUCH]
        most = max(_MOST, 2 * self.longest_body)
        if others and sum(len(each.arrived) for each in (client, *others)) > most:
            self._drop(others[0])

    def _drop(self, client: Client) -> None:
        waiting: Any = self.keepalived_conns
        waiting.remove(client)
        self.poller.unregister(client.raw)
        self.lose(client)

    def lose(self, client: Client) -> None:
        self.nr_conns -= 1
        client.is_lost = True
        client.close()
