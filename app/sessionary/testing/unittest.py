"""A mixin for unittest: a double for each test class, a namespace for each test."""

import os
import sys
import unittest
import unittest.mock
from collections.abc import Mapping
from typing import Any, ClassVar

from sessionary.testing import reports
from sessionary.testing.namespace import Namespace
from sessionary.testing.servers import RemoteServer, Server


class SessionaryMixin(unittest.TestCase):
    """Provides `self.sessionary`, the namespace of a test.

    `sessionary_settings` are settings of the double, `sessionary_namespace` may hold `name`, `now`,
    `ids`, `seed` and `faults`; with `sessionary_fails_on_leaks` a test fails if it leaves sessions
    open. A failing test leaves the run of each namespace, and says how to replay it.
    """

    sessionary_settings: ClassVar[Mapping[str, Any]] = {}
    sessionary_namespace: ClassVar[Mapping[str, Any]] = {}
    sessionary_fails_on_leaks: ClassVar[bool] = False
    sessionary_server: ClassVar[RemoteServer]
    sessionary: Namespace
    _has_failed = False

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.sessionary_server = cls.enterClassContext(Server(**cls.sessionary_settings))

    def setUp(self) -> None:
        super().setUp()
        self.sessionary = self.make_sessionary(**self.sessionary_namespace)

    def make_sessionary(self, **options: Any) -> Namespace:
        """Create another namespace for this test, from the same options."""
        namespace = self.sessionary_server.namespace(**{"record": True, **options})
        self.addCleanup(self._drop, namespace)
        return namespace

    def sessionary_env(self) -> dict[str, str]:
        """Set the environment variables of this test's namespace until the test ends."""
        variables = self.sessionary.variables()
        self.enterContext(unittest.mock.patch.dict(os.environ, variables))
        return variables

    def doCleanups(self) -> None:  # noqa: N802 - unittest's name
        """Note whether the test has failed, before each cleanup begins as if it had not."""
        outcome = getattr(self, "_outcome", None)
        self._has_failed = outcome is not None and not outcome.success
        super().doCleanups()

    def _save_run(self, namespace: Namespace) -> None:
        name = f"{reports.file_name(self.id())}-{namespace.namespace}.jsonl"
        for lines in reports.run_section(namespace, reports.temporary_folder() / name):
            print(*lines, sep="\n", file=sys.stderr)

    def _drop(self, namespace: Namespace) -> None:
        try:
            is_checked = self.sessionary_fails_on_leaks
            leaks = list(reports.unclosed_sessions(namespace)) if is_checked else []
            if leaks or self._has_failed:
                self._save_run(namespace)
        finally:
            namespace.drop()
        if leaks:
            self.fail("sessions left open:\n  " + "\n  ".join(leaks))
