"""sessionary devices."""

import click


@click.group()
def devices() -> None:
    """Add, list and retire Mobile Next devices."""
