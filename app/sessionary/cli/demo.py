"""`sessionary demo`."""

from importlib.resources import as_file, files

import click

from sessionary.cli.database import clean_errors
from sessionary.cli.double import CONTROL, DEFAULTS, serve
from sessionary.factory import load_settings
from sessionary.settings import Settings


@click.command(epilog="Example: sessionary demo --port 8001")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 picks a free one.  "
    f"[env var: SESSIONARY_PORT; default: {Settings.port}]",
)
@clean_errors
def demo(port: int | None) -> None:
    """Serve a double with example sessions and the console.

    Its sessions are of all vendors, around now. Data is in memory; other settings are read as by
    `sessionary double`. Ctrl-C stops it; `sessionary console --open` in another terminal opens the
    console in a browser.
    """
    with as_file(files("sessionary.seeds") / "demo.toml") as seed:
        flags = {"seed": str(seed), "port": port, "db": ":memory:"} | CONTROL
        serve(load_settings(flags, defaults=DEFAULTS))
