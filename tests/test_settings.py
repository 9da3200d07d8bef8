from pathlib import Path
from typing import Any

import pytest

from sessionary.factory import load_settings, make_settings
from sessionary.settings import BadSetting, Settings


def test_the_defaults_are_a_strict_server_on_loopback() -> None:
    settings = load_settings({}, {})
    assert (settings.auth, settings.host, settings.port) == ("strict", "127.0.0.1", 8000)
    assert settings.durability == "full"


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    file = tmp_path / "sessionary.toml"
    file.write_text('port = 1\nworkers = 1\nthreads = 1\nauth = "lenient"\n')
    environ = {"SESSIONARY_CONFIG": str(file), "SESSIONARY_PORT": "2", "SESSIONARY_WORKERS": "2"}
    settings = load_settings({"port": 3, "threads": None}, environ)
    assert (settings.port, settings.workers, settings.threads) == (3, 2, 1)
    assert settings.auth == "lenient"


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("CLOCK_RATE", "40", 40.0),
        ("CLOCK_RATE", "", None),
        ("GALTEA_AUTO_CLOSE_MINUTES", "30", 30),
        ("VENDOR_DEFAULTS", "TRUE", True),
        ("VENDOR_DEFAULTS", "no", False),
        ("DB", "x.sqlite3", "x.sqlite3"),
        ("BUSY_TIMEOUT_SECONDS", "2", 2.0),
    ],
)
def test_every_setting_has_an_environment_variable(variable: str, text: str, value: object) -> None:
    settings = load_settings({}, {f"SESSIONARY_{variable}": text})
    shared, vendors = vars(settings), vars(settings.vendors["galtea"])
    name = variable.lower()
    assert (shared[name] if name in shared else vendors[name.removeprefix("galtea_")]) == value


@pytest.mark.parametrize(
    "given",
    [
        {"port": -1},
        {"port": 65_536},
        {"port": "8000"},
        {"port": True},
        {"workers": 0},
        {"auth": "open"},
        {"clock_rate": float("nan")},
        {"clock_rate": -1},
        {"galtea_auto_close_minutes": 0},
        {"notte_keep_alive": None},
        {"vendor_defaults": 1},
        {"db": 5},
    ],
)
def test_an_invalid_value_is_refused_by_the_name_of_the_setting(given: dict[str, Any]) -> None:
    with pytest.raises(BadSetting, match=next(iter(given))):
        make_settings(**given)


@pytest.mark.parametrize(
    ("variable", "text"), [("SESSIONARY_PORT", "many"), ("SESSIONARY_VENDOR_DEFAULTS", "maybe")]
)
def test_an_invalid_variable_is_refused_by_its_name(variable: str, text: str) -> None:
    with pytest.raises(BadSetting, match=variable):
        load_settings({}, {variable: text})


@pytest.mark.parametrize("name", ["db", "host"])
def test_an_empty_address_or_file_is_refused_from_every_source(name: str) -> None:
    for flags, environ in (({name: ""}, {}), ({}, {f"SESSIONARY_{name.upper()}": ""})):
        with pytest.raises(BadSetting, match=f"^{name} must not be empty$"):
            load_settings(flags, environ)


@pytest.mark.parametrize("token", ["hush", "hush\n", " hush\r\n", "\thush "])
def test_blanks_around_a_control_token_are_not_part_of_it(token: str) -> None:
    assert Settings(control_token=token).control_token == "hush"
    assert load_settings({}, {"SESSIONARY_CONTROL_TOKEN": token}).control_token == "hush"


@pytest.mark.parametrize(
    "token", ["", " \n", "q7 q7", "q7\nq7", "q7\tq7", "q7é", "q7\0", "q7\x7f", "q7\xa0q7"]
)
def test_a_control_token_that_cannot_be_a_header_is_refused_and_not_shown(token: str) -> None:
    sentence = r"control_token \(SESSIONARY_CONTROL_TOKEN\) must be printable ASCII"
    with pytest.raises(BadSetting, match=sentence) as refused:
        Settings(control_token=token)
    assert "q7" not in str(refused.value)


def test_a_control_token_that_is_not_text_is_not_shown_either() -> None:
    with pytest.raises(BadSetting, match=r"control_token must be str or nothing$"):
        Settings(control_token=4711)  # type: ignore[arg-type]


def test_an_empty_control_token_in_the_environment_is_none() -> None:
    assert load_settings({}, {"SESSIONARY_CONTROL_TOKEN": ""}).control_token is None


UNREADABLE = {"missing": None, "unfinished": "port = ", "deep": "port = " + "[" * 5000}


@pytest.mark.parametrize(
    "content", [*UNREADABLE.values(), "prot = 8000"], ids=[*UNREADABLE, "typo"]
)
def test_a_file_that_cannot_be_read_or_has_an_unknown_name_is_refused(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "sessionary.toml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(
        BadSetting, match="prot" if content == "prot = 8000" else r"sessionary\.toml"
    ):
        load_settings({}, {"SESSIONARY_CONFIG": str(file)})


def test_vendor_defaults_replace_defaults_and_no_explicit_values() -> None:
    def auto_close(**values: Any) -> Any:
        return make_settings(**values).vendors["galtea"].auto_close_minutes

    assert auto_close() is None
    assert auto_close(vendor_defaults=True) == 30
    assert auto_close(vendor_defaults=True, galtea_auto_close_minutes=5) == 5


@pytest.mark.parametrize(("name", "value"), [("workers", 257), ("threads", 1025)])
def test_more_workers_or_threads_than_a_machine_has_are_refused(name: str, value: int) -> None:
    with pytest.raises(BadSetting, match=f"{name} must be"):
        make_settings(**{name: value})
