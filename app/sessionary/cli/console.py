"""`sessionary console`."""

import os
from urllib.parse import quote

import click

from sessionary.cli.control import TOKEN, control_errors, namespace_option, url_option
from sessionary.cli.output import Output, json_option, print_output

_PATH = "/_control/console/"


@click.command(epilog="Example: sessionary console --open")
@click.option("--open", "is_opened", is_flag=True, help="Open it in a browser, with the token.")
@namespace_option
@url_option
@json_option
def console(is_opened: bool, ns: str, url: str, as_json: bool) -> None:
    """Print the address of the console, or open it.

    The token in SESSIONARY_CONTROL_TOKEN is passed after the #, which a browser does not send.
    """
    from sessionary.client import Client

    token = os.environ.get(TOKEN, "").strip()
    with control_errors():
        Client(url, ns, token or None).clock.get()  # raises if the server refuses
    place = "" if ns == "default" else f"/~{ns}"
    address = f"{url.rstrip('/')}{place}{_PATH}"
    if is_opened:
        _open_browser(address, token)
    print_output(Output({"url": address, "opened": is_opened}, address), as_json)


def _open_browser(address: str, token: str) -> None:
    import webbrowser

    if not webbrowser.open(f"{address}#token={quote(token, safe='')}" if token else address):
        raise click.ClickException(f"no browser can be opened here: open {address} yourself")
