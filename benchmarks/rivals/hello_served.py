"""The bare hello under the product's own server, with the flags of `sessionary serve`."""

import sys
from typing import Any

from benchmarks.rivals.hello import app
from sessionary import cli
from sessionary.server import gunicorn


def _hello(*_: Any) -> Any:
    return app


if __name__ == "__main__":
    gunicorn.create_app = _hello
    cli.main(["serve", *sys.argv[1:]])
