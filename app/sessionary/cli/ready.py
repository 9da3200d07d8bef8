"""`sessionary ready`."""

import json
import time
from contextlib import suppress
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import click

from sessionary.client.transport import https_hint
from sessionary.durations import BadDuration, parse_duration

_TIMEOUT_SECONDS = 3.0
_RETRY_SECONDS = 0.1
_opener = build_opener(ProxyHandler({}))  # a proxy would answer for the server


@click.command(epilog="Example: sessionary ready http://127.0.0.1:8000 --wait 30s")
@click.argument("url", default="http://127.0.0.1:8000")
@click.option(
    "--wait",
    metavar="DURATION",
    default="0s",
    show_default=True,
    help="Retry for up to this long, e.g. 30s.",
)
def ready(url: str, wait: str) -> None:
    """Check whether the server at URL is ready: it can write to its database. Exits with 0 or 1."""
    _check_url(url)
    try:
        end = time.monotonic() + parse_duration(wait) / 1_000_000
    except BadDuration as error:
        raise click.BadParameter(str(error), param_hint="--wait") from error
    while (problem := _problem(url)) and time.monotonic() < end:
        time.sleep(_RETRY_SECONDS)
    if problem:
        raise click.ClickException(f"{url} {problem}")
    click.echo(f"{url} is ready")


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter("must begin with http:// or https://", param_hint="URL")
    try:
        urlsplit(url).port  # noqa: B018 - read for its ValueError
    except ValueError as error:
        raise click.BadParameter(f"{url}: {error}", param_hint="URL") from error


def _problem(url: str) -> str | None:
    """Say why the server is not ready, as the rest of a sentence; None if it is."""
    try:
        with _opener.open(f"{url.rstrip('/')}/readyz", timeout=_TIMEOUT_SECONDS) as response:
            status = _json_object(response.read()).get("status")
    except HTTPError as error:
        with error:
            reason = _json_object(error.read()).get("message")
        is_ours = error.code == 503 and reason
        return f"is not ready: {reason}" if is_ours else _not_sessionary(error.code)
    except URLError as error:
        why = getattr(error.reason, "strerror", None) or error.reason
        return f"does not answer: {why}{https_hint(url, error.reason)}"
    except (OSError, ValueError) as error:
        return f"does not answer: {error}"
    return None if status == "ready" else _not_sessionary(200)


def _not_sessionary(status: int) -> str:
    return f"answers {status} at /readyz: it is not a Sessionary server"


def _json_object(content: bytes) -> dict[str, str]:
    with suppress(ValueError):
        found = json.loads(content)
        if isinstance(found, dict):
            return found
    return {}
