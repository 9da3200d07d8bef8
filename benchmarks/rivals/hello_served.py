"""The bare hello under our own server, with the options of `sessionary serve`."""

import sys
from types import SimpleNamespace
from typing import Any

from benchmarks.rivals.hello import app
from sessionary import cli, server

# A worker disconnects the database of its application when it ends.
app.extensions["sessionary"] = SimpleNamespace(disconnect=lambda: None)


def _hello(*_: Any) -> Any:
    return app


if __name__ == "__main__":
    if "create_app" not in vars(server):
        sys.exit("sessionary.server has no create_app to replace")
    vars(server)["create_app"] = _hello
    cli.main(["serve", *sys.argv[1:]])
