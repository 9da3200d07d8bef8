"""Command-line options made from the settings."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from typing import Any

import click

from sessionary.settings import Settings, kinds

SERVER_SETTINGS = (
    "server",
    "workers",
    "client_timeout_seconds",
    "prune_ended_days",
    "tls_certificate",
    "tls_key",
)
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def settings_options(
    *, defaults: Mapping[str, Any] | None = None, without: Collection[str] = ()
) -> Decorator:
    """Give a command an option for each setting that is not a secret.

    `defaults` replace the settings' own in the help text. The options themselves default to None,
    so that Settings.load can take the value from the environment or a file.
    """
    settings = [
        each
        for each in fields(Settings)
        if not each.metadata["is_secret"] and each.name not in without
    ]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for each in reversed(settings):
            command = _option(each, (defaults or {}).get(each.name, each.default))(command)
        return command

    return decorate


def _option(setting: Any, default: Any) -> Decorator:
    types = [kind for kind in kinds(setting.type) if kind is not type(None)]
    flag = "--" + setting.name.replace("_", "-")
    about = setting.metadata["about"]
    value = "none" if default is None else str(default).lower()
    choices = setting.metadata["choices"]
    return click.option(
        f"{flag}/--no-{flag[2:]}" if bool in types else flag,
        setting.name,
        type=click.Choice(choices) if choices else types[0],
        default=None,
        help=f"{about[0].upper()}{about[1:]}.  "
        f"[env var: SESSIONARY_{setting.name.upper()}; default: {value}]",
    )
