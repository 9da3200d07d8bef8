"""The double that tests use: in their own process, or a running one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from sessionary import control
from sessionary.client import Client, Instant, Transport
from sessionary.client.wsgi_transport import wsgi_send
from sessionary.control.access import IN_PROCESS
from sessionary.embedded import EmbeddedServer
from sessionary.factory import create_double, make_settings
from sessionary.settings import DOUBLE, LISTENER, SERVER, BadSetting, settings_of
from sessionary.surfaces import SDKS, SURFACES
from sessionary.testing.namespace import Namespace, Seed, seed_document
from sessionary.web.surface import Surface

__tracebackhide__ = True  # pytest leaves the frames of this module out
_LISTENS = "this double is in the process of the tests, on a free port of 127.0.0.1"
UNBOUND_URL = "http://sessionary.test"  # of a server that does not listen


class RemoteServer:
    """A running double at `url`; `token` is the token of its control plane."""

    has_seed = True  # its new namespaces may hold sessions
    follows_process = False  # their real clocks read the time of this process

    def __init__(
        self, url: str, token: str | None = None, *, transport: Transport | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._transport = transport
        self._names: set[str] = set()
        self._sdks = SDKS

    @property
    def client(self) -> Client:
        """A control-plane client for the default namespace."""
        return Client(self.url, token=self._token, transport=self._transport)

    def namespace(
        self,
        *,
        name: str | None = None,
        now: Instant | None = None,
        ids: str | None = None,
        seed: Seed | None = None,
        faults: Iterable[Mapping[str, Any]] = (),
        record: bool = False,
    ) -> Namespace:
        """Create a namespace: its clock frozen at `now`, its ids and rows seeded, faults armed.

        With `record`, its run is kept, see `Namespace.save_run`.
        Raises client.ControlError if one of them is refused, and then creates nothing.
        """
        rows = None if seed is None else seed_document(seed)
        created = self.client.namespaces.create(
            name, now=now, ids=ids, seed=rows, faults=faults, record=record
        )
        self._names.add(created["name"])
        namespace = Namespace(
            self.url, created["name"], self._token, transport=self._transport, sdks=self._sdks
        )
        namespace.follows_process = self.follows_process
        if seed is not None or self.has_seed:
            namespace.note_seeded_sessions()
        return namespace

    def start(self) -> Self:
        """Check that the double responds. Raises ConnectionError and client.ControlError."""
        self.client.clock.get()
        return self

    def stop(self) -> None:
        """Drop the namespaces of this object; a late call may have created one again."""
        namespaces = self.client.namespaces
        for name in self._names.intersection(namespaces.list()):
            namespaces.drop(name)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class Server(RemoteServer):
    """A double in this process. It listens between `start` and `stop`.

    It is a WSGI application, too, that can be mounted without listening. Keyword arguments are
    settings of a double. Its control client uses no socket. Raises BadSetting.
    """

    follows_process = True

    def __init__(self, *, surfaces: Sequence[Surface] = SURFACES, **settings: Any) -> None:
        for each in settings_of(SERVER, LISTENER):
            if each.name in settings:
                raise BadSetting(f"{each.name} is for {each.used_by}: {_LISTENS}, so remove it")
        self.settings = make_settings(surfaces=surfaces, **{**DOUBLE, **settings})
        self.has_seed = self.settings.seed is not None
        self._app = create_double(self.settings, surfaces=surfaces)
        self._embedded: EmbeddedServer | None = None
        self._is_stopped = False
        super().__init__(UNBOUND_URL, self.settings.control_token, transport=wsgi_send(self))
        self._sdks = tuple(surface.sdk for surface in surfaces)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self._is_stopped:
            raise ConnectionError("this server was stopped: start a new one")
        environ[IN_PROCESS] = True
        # Adapters for requests pass an integer.
        environ["CONTENT_LENGTH"] = str(environ.get("CONTENT_LENGTH") or "")
        return self._app(environ, start_response)

    def start(self) -> Self:
        """Listen on a free port of the loopback address and set `url`."""
        self._embedded = EmbeddedServer(
            self._app,
            threads=self.settings.threads,
            max_body_bytes=self.settings.max_body_bytes,
            max_restore_bytes=self.settings.max_restore_bytes,
        ).start()
        self.url = self._embedded.url
        return self

    def stop(self) -> None:
        """Stop listening and delete all namespaces."""
        if self._embedded is not None:
            self._embedded.stop()
            self._embedded = None
        self._is_stopped = True
        control.close_namespaces(self._app)
