"""The flags of the commands that serve: one for each setting that makes sense there."""

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
    """Give a command a flag for each setting; its environment twin is read with the settings.

    `defaults` are shown where they differ from the settings' own.
    """
    shown = [
        each
        for each in fields(Settings)
        if not each.metadata["is_secret"] and each.name not in without
    ]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for each in reversed(shown):
            command = _flag(each, (defaults or {}).get(each.name, each.default))(command)
        return command

    return decorate


def _flag(setting: Any, default: Any) -> Decorator:
    types = [kind for kind in kinds(setting.type) if kind is not type(None)]
    flag = "--" + setting.name.replace("_", "-")
    told = "none" if default is None else str(default).lower()
    about = (
        f"{setting.metadata['about']}  [env: SESSIONARY_{setting.name.upper()}; default: {told}]"
    )
    choices = setting.metadata["choices"]
    return click.option(
        f"{flag}/--no-{flag[2:]}" if bool in types else flag,
        setting.name,
        type=click.Choice(choices) if choices else types[0],
        default=None,
        help=about[0].upper() + about[1:],
    )
