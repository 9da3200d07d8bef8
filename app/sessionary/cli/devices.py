"""`sessionary devices`."""

from typing import Any

import click

from sessionary.cli import ids
from sessionary.cli.database import database_command, open_existing, open_or_create, open_read_only
from sessionary.cli.output import Output
from sessionary.cli.tables import format_table
from sessionary.surfaces import SURFACES

inventory: Any = next(each.devices for each in SURFACES if each.devices is not None)

_COLUMNS = ("serial", "platform", "type", "name", "version", "provision_seconds")


@click.group()
def devices() -> None:
    """Add, list and retire devices."""


@devices.command()
@click.option("--serial", required=True, help="Serial number: the id of the device.")
@click.option(
    "--platform", required=True, type=click.Choice(inventory.PLATFORMS), help="Operating system."
)
@click.option("--type", required=True, type=click.Choice(inventory.TYPES), help="Kind of device.")
@click.option("--name", required=True, help="Model, e.g. 'Pixel 9'.")
@click.option("--version", required=True, help="Version of the operating system, e.g. 18.6.2.")
@click.option(
    "--provision-seconds",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Time from the allocation of the device until it is ready.",
)
@database_command
def add(db: str, **device: Any) -> Output:
    """Add a device, or bring a retired one back.

    \b
    Example:
      sessionary devices add --serial pixel-1 --platform android --type real \\
        --name 'Pixel 9' --version 16
    """
    with open_or_create(db):
        try:
            inventory.add(**device)
        except inventory.BadDevice as error:
            raise click.ClickException(str(error)) from error
    return Output(device, f"Added device {device['serial']}")


@devices.command("list", epilog="Example: sessionary devices list --json")
@database_command
def list_devices(db: str) -> Output:
    """List all devices with their state: free, allocated or retired."""
    with open_read_only(db):
        rows = [
            {name: getattr(device, name) for name in _COLUMNS} | {"state": inventory.state(device)}
            for device in inventory.list_devices()
        ]
    return Output(rows, format_table(rows, "No devices found"))


@devices.command(epilog="Example: sessionary devices retire pixel-1")
@click.argument("serial")
@database_command
def retire(serial: str, db: str) -> Output:
    """Retire the device SERIAL: it is no longer allocated.

    A session that holds it keeps it.
    """
    with open_existing(db):
        known = [device.serial for device in inventory.list_devices()]
        serial = ids.full_id("device", serial, known)
        if not inventory.retire(serial):
            raise click.ClickException(
                f"no active device has the serial {serial}: see `sessionary devices list`"
            )
    return Output({"serial": serial}, f"Retired device {serial}")
