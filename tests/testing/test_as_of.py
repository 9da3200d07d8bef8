"""`namespace.at(instant)`: URLs, keys and variables with which SDKs read as of another instant."""

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from sessionary.sdk_env import Environment
from sessionary.testing import Namespace, Server
from sessionary.web.sdk import SdkAccess
from tests.processes import COMMAND, TIMEOUT_SECONDS, run_command, running_double
from tests.sdk_environments import sdk_script

NOON = "2026-03-01T12:00:00Z"
NOON_ANYWHERE = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - it has no time zone
SCRIPT = Path(__file__).with_name("sdk_script_reads.py")


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    with Server() as server:
        yield server.namespace(now=NOON)


def call(access: SdkAccess, method: str, path: str, **options: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {access.key}", "x-api-key": access.key}
    return requests.request(method, access.url + path, headers=headers, timeout=10, **options)


def either(now: SdkAccess, then: SdkAccess) -> tuple[SdkAccess, ...]:
    """Both of `then`, its key alone, and its URL alone."""
    return then, now._replace(key=then.key), now._replace(url=then.url)


def start(namespace: Namespace) -> str:
    return str(call(namespace.notte, "POST", "/session/start", json={}).json()["session_id"])


def sdk_reads(environment: Environment | Namespace, surface: str, session: str) -> Any:
    return sdk_script.run_here(SCRIPT, surface, session, env=environment.variables())


def test_notte_s_sdk_reads_the_future_and_the_past(namespace: Namespace) -> None:
    session = start(namespace)
    for at in ("+6m", "2026-03-01T13:06:00+01:00", datetime(2026, 3, 1, 12, 6, tzinfo=UTC)):
        assert sdk_reads(namespace.at(at), "notte", session) == "timed_out"
    assert sdk_reads(namespace, "notte", session) == "active"
    namespace.clock.advance("10m")
    assert sdk_reads(namespace, "notte", session) == "timed_out"
    assert sdk_reads(namespace.at("-6m"), "notte", session) == "active"


def test_scale_s_sdk_reads_the_past(namespace: Namespace) -> None:
    body = {"title": "t", "state": {}, "account_id": namespace.scale.organization}
    session = call(namespace.scale, "POST", "/v4/sessions", json=body).json()["id"]
    namespace.clock.advance("1h")
    call(namespace.scale, "DELETE", f"/v4/sessions/{session}")
    assert sdk_reads(namespace, "scale", session) is not None
    assert sdk_reads(namespace.at("-30m"), "scale", session) is None


def test_galtea_s_sdk_reads_the_past(namespace: Namespace) -> None:
    session = call(namespace.galtea, "POST", "/sessions", json={"versionId": "v" * 20}).json()["id"]
    namespace.clock.advance("1h")
    call(namespace.galtea, "DELETE", f"/sessions/{session}")
    assert sdk_reads(namespace.at("-30m"), "galtea", session) == session
    assert sdk_reads(namespace, "galtea", session) != session


def test_mobilecli_s_key_has_the_instant_since_it_takes_no_path(
    namespace: Namespace, tmp_path: Path
) -> None:
    def allocate(environment: Environment | Namespace) -> Any:
        ran = subprocess.run(
            [sdk_script.mobilecli(), "remote", "allocate", "--platform", "android"],
            env=sdk_script.client_environment(tmp_path, environment.variables()),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        return json.loads(ran.stdout)

    assert allocate(namespace)["status"] == "ok"
    assert "only a read can be as of another instant" in allocate(namespace.at("+1s"))["error"]
    assert len(namespace.sessions()) == 1


def test_a_write_as_of_another_instant_is_refused_and_changes_nothing(namespace: Namespace) -> None:
    session = start(namespace)
    later = namespace.at("+1m").notte
    for access in (
        later,
        namespace.notte._replace(key=later.key),
        namespace.notte._replace(url=later.url),
    ):
        refused = call(access, "POST", "/session/close", json={"session_id": session})
        assert refused.status_code == 400
        assert "only a read can be as of another instant" in refused.text
    assert namespace.explain(session)["status"] == "active"
    assert len(namespace.sessions()) == 1


def test_the_url_or_the_key_is_enough(namespace: Namespace) -> None:
    session = start(namespace)
    later = namespace.at("+6m").notte
    for access in (
        later,
        namespace.notte._replace(key=later.key),
        namespace.notte._replace(url=later.url),
    ):
        found = call(access, "GET", f"/sessions/{session}")
        assert found.json()["status"] == "timed_out"
        assert found.headers["Sessionary-Now"] == "2026-03-01T12:06:00.000000Z"


def test_the_header_comes_before_the_url_and_the_url_before_the_key(namespace: Namespace) -> None:
    url, key = namespace.at("+2m").notte.url, namespace.at("+1m").notte.key
    headers = {"Authorization": f"Bearer {key}"}
    for given, minute in (({}, 2), ({"Sessionary-At": "+3m"}, 3)):
        found = requests.get(f"{url}/sessions", headers=headers | given, timeout=10)
        assert found.headers["Sessionary-Now"] == f"2026-03-01T12:0{minute}:00.000000Z"


def test_a_key_with_an_instant_is_the_same_user(namespace: Namespace) -> None:
    call(namespace.galtea, "GET", "/sessions")
    call(namespace.at("+1m").galtea, "GET", "/sessions")
    users = {call["caller"]["user"] for call in namespace.journal.find() if call["caller"]}
    assert len(users) == 1


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("soon", "must be a date and time such as"),
        ("", "must be a date and time such as"),
        ("+", "must be a duration such as"),
        ("2026-13-01T12:00:00Z", "must be a date and time that exists"),
    ],
)
def test_an_instant_that_is_none_is_refused_in_the_vendor_s_words(
    namespace: Namespace, at: str, reason: str
) -> None:
    url = f"{namespace.url}/~{namespace.namespace}@{at}/notte"
    refused = call(namespace.notte._replace(url=url), "GET", "/sessions")
    assert refused.status_code == 422
    assert reason in refused.text
    with pytest.raises(ValueError, match=f"'{re.escape(at)}' {reason}"):
        namespace.at(at)


@pytest.mark.parametrize("at", [5, NOON_ANYWHERE, timedelta(minutes=5)])
def test_what_is_no_instant_is_refused_in_a_sentence(namespace: Namespace, at: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"an instant is text|has no time zone"):
        namespace.at(at)


def test_the_control_plane_reads_as_of_the_instant_of_its_url(namespace: Namespace) -> None:
    session = start(namespace)
    url = f"{namespace.url}/~{namespace.namespace}@+6m/_control/v1/sessions/{session}/explain"
    assert requests.get(url, timeout=10).json()["status"] == "timed_out"


def test_env_prints_variables_as_of_an_instant() -> None:
    with running_double() as double:
        printed = run_command(COMMAND, "env", "--url", double.url, "--ns", "t42", "--at", "+6m")
        assert printed.returncode == 0, printed.stderr
        assert f"NOTTE_API_URL='{double.url}/~t42@+6m/notte'" in printed.stdout
        refused = run_command(COMMAND, "env", "--url", double.url, "--at", "soon")
        assert (refused.returncode, "soon" in refused.stderr) == (2, True)
