"""The double that tests ask: one inside their process, or one elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from sessionary import control
from sessionary.client import Client, Instant, Transport
from sessionary.embedded import EmbeddedServer
from sessionary.factory import create_double, make_settings
from sessionary.settings import DOUBLE
from sessionary.surfaces import SURFACES
from sessionary.testing.namespace import Namespace, Seed
from sessionary.testing.wsgi_transport import wsgi_send
from sessionary.web.surface import Surface

UNBOUND_URL = "http://sessionary.test"  # the address of a server that does not listen


class RemoteServer:
    """A double that listens at `url`; `token` is its control plane's."""

    may_seed = True  # its new namespaces, by itself

    def __init__(
        self, url: str, token: str | None = None, *, transport: Transport | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._transport = transport
        self._made: set[str] = set()

    @property
    def client(self) -> Client:
        """Its control plane, seen from the default namespace."""
        return Client(self.url, token=self._token, transport=self._transport)

    def namespace(
        self,
        *,
        now: Instant | None = None,
        seed: Seed | None = None,
        faults: Iterable[Mapping[str, Any]] = (),
    ) -> Namespace:
        """A new namespace, whose clock stands at `now`, with a seed and armed faults.

        Raises client.ControlError for what is refused, and leaves no namespace behind.
        """
        name = self.client.namespaces.create(now=now)["name"]
        self._made.add(name)
        namespace = Namespace(self.url, name, self._token, transport=self._transport)
        try:
            namespace.prepare(seed, faults, may_hold_sessions=self.may_seed)
        except BaseException:
            namespace.drop()
            raise
        return namespace

    def start(self) -> Self:
        """Prove that it answers. Raises ConnectionError and client.ControlError."""
        self.client.clock.get()
        return self

    def stop(self) -> None:
        """Drop the namespaces that are still there: a late call makes the one that it names
        anew."""
        namespaces = self.client.namespaces
        for name in self._made.intersection(namespaces.list()):
            namespaces.drop(name)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class Server(RemoteServer):
    """A double inside this process: it listens between start and stop.

    It is a WSGI application as well, for those who mount it instead of letting it listen. Settings
    are those of a double; its own control calls use no socket. Raises BadSetting.
    """

    def __init__(self, *, surfaces: Sequence[Surface] = SURFACES, **settings: Any) -> None:
        self.settings = make_settings(surfaces=surfaces, **{**DOUBLE, **settings})
        self.may_seed = self.settings.seed is not None
        self._app = create_double(self.settings, surfaces=surfaces)
        self._listening: EmbeddedServer | None = None
        self._is_stopped = False
        super().__init__(UNBOUND_URL, self.settings.control_token, transport=wsgi_send(self))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self._is_stopped:
            raise ConnectionError("this server was stopped: start another one")
        # An adapter of requests gives the number itself.
        environ["CONTENT_LENGTH"] = str(environ.get("CONTENT_LENGTH") or "")
        return self._app(environ, start_response)

    def start(self) -> Self:
        """Listen on a free port of the loopback address; `url` is then that one."""
        self._listening = EmbeddedServer(self._app, threads=self.settings.threads).start()
        self.url = self._listening.url
        return self

    def stop(self) -> None:
        """Listen no more, and forget every namespace."""
        if self._listening is not None:
            self._listening.stop()
            self._listening = None
        self._is_stopped = True
        control.close_namespaces(self._app)
