"""`sessionary console`."""

import os
from urllib.parse import quote

import click

from sessionary.cli.control import TOKEN, control_command
from sessionary.cli.output import Output
from sessionary.client import Client

_PATH = "/_control/console/"


@click.command(epilog="Example: sessionary console --open")
@click.option("--open", "is_opened", is_flag=True, help="Open it in a browser, with the token.")
@control_command
def console(is_opened: bool, client: Client) -> Output:
    """Print the address of the console, or open it.

    The token in SESSIONARY_CONTROL_TOKEN is passed behind the #, which a browser does not send.
    """
    client.clock.get()  # refused or not answered: there is no console either
    address = console_address(client.url, client.namespace)
    if is_opened:
        open_browser(address, os.environ.get(TOKEN, "").strip())
    return Output({"url": address, "opened": is_opened}, address)


def console_address(url: str, namespace: str = "default") -> str:
    """Return the address of the console, for one namespace."""
    return f"{url}{_PATH}" if namespace == "default" else f"{url}/~{namespace}{_PATH}"


def open_browser(address: str, token: str = "") -> None:
    """Open a page in the browser. Raises ClickException if there is none."""
    import webbrowser

    if not webbrowser.open(f"{address}#token={quote(token, safe='')}" if token else address):
        raise click.ClickException(f"no browser can be opened here: open {address} yourself")
