"""sessionary devices."""

import click

from sessionary.cli.database import clean_errors, database_option, open_or_create
from sessionary.cli.output import json_option, print_rows
from sessionary.surfaces.mobilenext import devices as inventory
from sessionary.surfaces.mobilenext.models import DeviceRow


@click.group()
def devices() -> None:
    """Add, list and retire the devices that Mobile Next sessions are given."""


@devices.command()
@click.option("--serial", required=True, help="What it is called by.")
@click.option("--platform", required=True, type=click.Choice(inventory.PLATFORMS))
@click.option("--type", "kind", required=True, type=click.Choice(inventory.TYPES))
@click.option("--name", required=True, help="Its model.")
@click.option("--version", required=True, help="Its OS version, such as 18.6.2.")
@click.option(
    "--provision-seconds", default=0, help="How long it takes from allocation to use.", type=int
)
@database_option
@clean_errors
def add(
    serial: str, platform: str, kind: str, name: str, version: str, provision_seconds: int, db: str
) -> None:
    """Add a device, or bring a retired one back.

    \b
    Example:
      sessionary devices add --serial pixel-1 --platform android --type real \\
        --name 'Pixel 9' --version 16
    """
    with open_or_create(db):
        inventory.add(
            serial=serial,
            platform=platform,
            type=kind,
            name=name,
            version=version,
            provision_seconds=provision_seconds,
        )
    click.echo(f"{serial} is in the catalogue")


@devices.command("list")
@database_option
@json_option
@clean_errors
def list_devices(db: str, as_json: bool) -> None:
    """List the devices, and whether each is free now.

    \b
    Example:
      sessionary devices list --json
    """
    with open_or_create(db):
        rows = [
            {
                "serial": device.serial,
                "platform": device.platform,
                "type": device.type,
                "name": device.name,
                "version": device.version,
                "provision_seconds": device.provision_seconds,
                "state": _state(device),
            }
            for device in inventory.list_devices()
        ]
    print_rows(rows, as_json=as_json, empty="There are no devices.")


def _state(device: DeviceRow) -> str:
    if device.is_allocated:
        return "allocated"
    return "retired" if device.is_retired else "free"


@devices.command()
@click.argument("serial")
@database_option
@clean_errors
def retire(serial: str, db: str) -> None:
    """Give a device to nobody any more; who holds it keeps it.

    \b
    Example:
      sessionary devices retire pixel-1
    """
    with open_or_create(db):
        if not inventory.retire(serial):
            raise click.ClickException(
                f"there is no device {serial} to retire: see `sessionary devices list`"
            )
    click.echo(f"{serial} is retired")
