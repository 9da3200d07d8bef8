"""For unittest: a double for each class of tests, and a fresh namespace for each test."""

import os
import unittest
import unittest.mock
from collections.abc import Mapping
from typing import Any, ClassVar

from sessionary.testing import reports
from sessionary.testing.namespace import Namespace
from sessionary.testing.servers import RemoteServer, Server


class SessionaryMixin(unittest.TestCase):
    """Gives `self.sessionary`, a namespace as pytest's fixture gives it.

    A class may say with which settings its double runs, what its namespaces begin with (`now`,
    `seed`, `faults`), and whether a test that leaves sessions open fails.
    """

    sessionary_settings: ClassVar[Mapping[str, Any]] = {}
    sessionary_namespace: ClassVar[Mapping[str, Any]] = {}
    sessionary_fails_on_leaks: ClassVar[bool] = False
    sessionary_server: ClassVar[RemoteServer]
    sessionary: Namespace

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.sessionary_server = cls.enterClassContext(Server(**cls.sessionary_settings))

    def setUp(self) -> None:
        super().setUp()
        self.sessionary = self.make_sessionary(**self.sessionary_namespace)

    def make_sessionary(self, **given: Any) -> Namespace:
        """A further namespace of this test: with `now`, `seed` and `faults`."""
        namespace = self.sessionary_server.namespace(**given)
        self.addCleanup(self._end, namespace)
        return namespace

    def sessionary_env(self) -> dict[str, str]:
        """Let the vendors' clients find this test's namespace by their environment, until its
        end."""
        variables = self.sessionary.variables()
        self.enterContext(unittest.mock.patch.dict(os.environ, variables))
        return variables

    def _end(self, namespace: Namespace) -> None:
        try:
            left = reports.unclosed_sessions(namespace) if self.sessionary_fails_on_leaks else []
        finally:
            namespace.drop()
        if left:
            self.fail("sessions left open:\n  " + "\n  ".join(left))
