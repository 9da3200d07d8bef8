"""The demo seed: 30 sessions of all surfaces around now."""

from importlib.resources import files


def text() -> str:
    """Read the demo seed, as TOML."""
    return (files(__package__) / "demo.toml").read_text("utf-8")
