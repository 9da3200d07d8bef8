"""Command-line options made from the settings."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import click

from sessionary.settings import Setting, all_settings
from sessionary.surfaces import SURFACES
from sessionary.web.surface import declared_settings

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_GROUPS = {  # settings by heading; those of vendors are not named
    "Data": "db seed durability busy_timeout_seconds prune_ended_days clock_rate ids_seed record",
    "Network": (
        "host port workers threads ready_file tls_certificate tls_key trusted_proxy allowed_hosts "
        "cors_origins client_timeout_seconds max_body_bytes"
    ),
    "Keys and limits": "auth rate_limit max_failed_keys_per_minute",
    "Control plane": "control control_readonly journal max_namespaces max_restore_bytes",
    "Log and metrics": "log_format log_requests metrics",
    "Rules of the vendors": "vendor_defaults",
}
_HEADINGS = {name: heading for heading, names in _GROUPS.items() for name in names.split()}


class ServingCommand(click.Command):
    """A command with the options of settings, in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {heading: [] for heading in _GROUPS}
        for each in self.get_params(ctx):
            record = each.get_help_record(ctx)
            if record is not None:
                groups.setdefault(_heading(each), []).append(record)
        for heading, records in groups.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


def _heading(parameter: click.Parameter) -> str:
    """Return the heading of an option in the help."""
    name = parameter.name or ""
    if name in _HEADINGS:
        return _HEADINGS[name]
    is_vendors = name.partition("_")[0] in declared_settings(SURFACES)
    return "Rules of the vendors" if is_vendors else "Options"


def settings_options(
    *, without: Collection[str], defaults: Mapping[str, Any] | None = None
) -> Decorator:
    """Give a command an option for each setting that is not a secret.

    `without` names the readers whose own settings are left out: SERVER and the others in settings.
    A command with `defaults` is a double, which always has a control plane.
    `defaults` replace the settings' own in the help text. The options themselves default to None,
    so that load_settings can take the value from the environment or a file.
    """
    settings = [
        each
        for each in all_settings(declared_settings(SURFACES))
        if not each.is_secret and each.used_by not in without
        if defaults is None or not each.name.startswith("control")
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
