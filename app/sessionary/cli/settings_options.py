"""Command-line options made from the settings."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import click

from sessionary.settings import Setting, all_settings
from sessionary.surfaces import SURFACES
from sessionary.web.surface import declared_settings

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def settings_options(
    *, without: Collection[str], defaults: Mapping[str, Any] | None = None
) -> Decorator:
    """Give a command an option for each setting that is not a secret.

    `without` names the readers whose own settings are left out: SERVER and the others in settings.
    `defaults` replace the settings' own in the help text. The options themselves default to None,
    so that load_settings can take the value from the environment or a file.
    """
    settings = [
        each
        for each in all_settings(declared_settings(SURFACES))
        if not each.is_secret and each.used_by not in without
    ]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for each in reversed(settings):
            command = _option(each, (defaults or {}).get(each.name, each.default))(command)
        return command

    return decorate


def _option(setting: Setting, default: Any) -> Decorator:
    types = [kind for kind in setting.types if kind is not type(None)]
    flag = "--" + setting.name.replace("_", "-")
    about = setting.help
    value = "none" if default is None else str(default).lower()
    choices = setting.choices
    return click.option(
        f"{flag}/--no-{flag[2:]}" if bool in types else flag,
        setting.name,
        type=click.Choice(choices) if choices else str if setting.unit else types[0],
        metavar=setting.name.rpartition("_")[2].upper() if setting.unit else None,
        default=None,
        help=f"{about[0].upper()}{about[1:]}.  [env var: {setting.variable}; default: {value}]",
    )
