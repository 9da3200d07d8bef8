"""The bare hello under our own server, with the options of `sessionary serve`."""

import sys
from typing import Any

from benchmarks.rivals.hello import app
from sessionary import cli, server


def _hello(*_: Any) -> Any:
    return app


if __name__ == "__main__":
    vars(server)["create_app"] = _hello
    cli.main(["serve", *sys.argv[1:]])
