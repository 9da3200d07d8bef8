"""sessionary ready."""

import json
import time
from contextlib import suppress
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import click

from sessionary.durations import BadDuration, parse_duration

_PATIENCE_SECONDS = 3.0
_PAUSE_SECONDS = 0.1
_direct = build_opener(ProxyHandler({}))  # what is asked is one server, and no proxy's opinion


@click.command()
@click.argument("url", default="http://127.0.0.1:8000")
@click.option("--wait", default="0s", show_default=True, help="How long to ask again, such as 30s.")
def ready(url: str, wait: str) -> None:
    """Say whether the server at URL can do its work: its database can be written.

    It exits with 0 if so, and with 1 if not, saying why.

    \b
    Example:
      sessionary ready http://127.0.0.1:8000 --wait 30s
    """
    _check_url(url)
    try:
        last = time.monotonic() + parse_duration(wait) / 1_000_000
    except BadDuration as error:
        raise click.BadParameter(str(error), param_hint="--wait") from error
    while (why := _why_not(url)) and time.monotonic() < last:
        time.sleep(_PAUSE_SECONDS)
    if why:
        raise click.ClickException(f"{url} {why}")
    click.echo(f"{url} is ready")


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter("must begin with http:// or https://", param_hint="URL")
    try:
        urlsplit(url).port  # noqa: B018 - read for its complaint
    except ValueError as error:
        raise click.BadParameter(f"{url}: {error}", param_hint="URL") from error


def _why_not(url: str) -> str | None:
    """What keeps it from being ready, as the rest of a sentence."""
    try:
        with _direct.open(f"{url.rstrip('/')}/readyz", timeout=_PATIENCE_SECONDS) as answer:
            said = _object(answer.read())
    except HTTPError as error:
        with error:
            reason = _object(error.read()).get("message")
        return f"is not ready: {reason}" if error.code == 503 and reason else _stranger(error.code)
    except URLError as error:
        return f"does not answer: {getattr(error.reason, 'strerror', None) or error.reason}"
    except (OSError, ValueError) as error:
        return f"does not answer: {error}"
    return None if said.get("status") == "ready" else _stranger(200)


def _stranger(status: int) -> str:
    return f"answers {status} at /readyz: it is no Sessionary"


def _object(content: bytes) -> dict[str, str]:
    with suppress(ValueError):
        found = json.loads(content)
        if isinstance(found, dict):
            return found
    return {}
