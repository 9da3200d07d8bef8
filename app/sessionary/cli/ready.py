"""`sessionary ready`."""

import json
import time
from contextlib import suppress
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

import click

from sessionary.cli.output import Output, json_option, print_output
from sessionary.cli.values import DURATION, check_url
from sessionary.client.transport import https_hint
from sessionary.durations import parse_duration

_TIMEOUT_SECONDS = 3.0
_RETRY_SECONDS = 0.1
_opener = build_opener(ProxyHandler({}))  # a proxy would answer for the server


@click.command(epilog="Example: sessionary ready http://127.0.0.1:8000 --wait 30s")
@click.argument("url", envvar="SESSIONARY_URL", default="http://127.0.0.1:8000")
@click.option(
    "--wait",
    type=DURATION,
    default="0s",
    show_default=True,
    help="Retry for up to this long, e.g. 30s.",
)
@json_option
def ready(url: str, wait: str, as_json: bool) -> None:
    """Check whether the server at URL is ready.

    It is if it can write to its database. Exits with 0 or 1.
    """
    _check_url(url)
    end = time.monotonic() + parse_duration(wait) / 1_000_000
    while (problem := _problem(url)) and time.monotonic() < end:
        time.sleep(_RETRY_SECONDS)
    if problem and not as_json:
        raise click.ClickException(f"{url} {problem}")
    value = {"url": url, "ready": not problem, "problem": problem}
    print_output(Output(value, f"{url} is ready", int(bool(problem))), as_json)


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter("must begin with http:// or https://", param_hint="URL")
    check_url(url, "URL")


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
