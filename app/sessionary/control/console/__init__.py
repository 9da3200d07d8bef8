"""The console: a page that shows sessions over time, at `/_control/console/`.

Its files are read at the first request for one, and served from memory. They hold no data: the
page reads those from the control plane, which needs the token.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[..., Iterable[bytes]]
_PATH = re.compile(r"(?:/~[^/]*)?(?:/?|(/_control/console)(/.*)?)", re.DOTALL)
_READS = ("GET", "HEAD")


class ConsoleMiddleware:
    """Serves the console's files, and leads a browser from `/` to them."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        match = _PATH.fullmatch(environ["PATH_INFO"])
        if match is None or environ["REQUEST_METHOD"] not in _READS:
            return self._application(environ, start_response)
        console, name = match.groups()
        if console is None and "text/html" not in environ.get("HTTP_ACCEPT", ""):
            return self._application(environ, start_response)
        from sessionary.control.console import files

        if name is None:
            return files.redirect(environ["PATH_INFO"])(environ, start_response)
        return files.response(name[1:], environ)(environ, start_response)
