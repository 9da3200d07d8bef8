"""The namespaces that the plugin makes for tests."""

import pytest

from sessionary.client import Client
from tests.testing.conftest import Suite


def test_each_test_has_its_own_namespace_which_is_dropped_at_its_end(suite: Suite) -> None:
    suite(
        """
        def test_one(sessionary):
            assert sessionary.sessions() == []
            start(sessionary)
            assert len(sessionary.sessions()) == 1

        test_two = test_one

        def test_nothing_is_left(sessionary_server):
            assert sessionary_server.client.namespaces.list() == ["default"]
            assert sessionary_server.client.sessions() == []
        """
    ).assert_outcomes(passed=3)


@pytest.mark.parametrize("vendor", ["scale", "mobilenext", "notte", "galtea"])
def test_a_vendor_s_url_and_its_key_each_select_the_namespace(suite: Suite, vendor: str) -> None:
    suite(
        f"""
        from sessionary.sdk_env import Environment

        REQUESTS = {{
            "scale": ("/v4/sessions", {{"title": "t", "state": {{}}, "account_id": "a"}}),
            "mobilenext": ("/api/v1/sessions", {{}}),
            "notte": ("/session/start", {{}}),
            "galtea": ("/sessions", {{"versionId": "ver_123"}}),
        }}

        def test_it(sessionary):
            path, body = REQUESTS[{vendor!r}]
            anywhere = Environment(sessionary.url).{vendor}
            here = sessionary.{vendor}
            for url, key in ((here.url, anywhere.key), (anywhere.url, here.key)):
                who = {{"Authorization": f"Bearer {{key}}", "x-api-key": key}}
                answer = requests.post(url + path, json=body, headers=who, timeout=10)
                assert answer.headers["Sessionary-Namespace"] == sessionary.namespace
            assert len(sessionary.sessions({vendor!r})) == 2
        """
    ).assert_outcomes(passed=1)


SEED = """
[[organizations]]
id = "acme"
name = "Acme"

[[notte.sessions]]
id = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01"
organization = "acme"
timeout_minutes = 5
created_ago = "1m"
last_accessed_ago = "1m"
"""


def test_the_marker_sets_the_state_of_the_namespace(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    (pytester.mkdir("inner") / "acme.toml").write_text(SEED)
    text = """
        from datetime import UTC, datetime
        from pathlib import Path

        pytestmark = pytest.mark.sessionary(now="2026-03-01T12:00:00Z", seed=Path("acme.toml"))

        def test_a_seed_path_is_relative_to_the_module(sessionary):
            assert sessionary.clock.get()["mode"] == "frozen"
            assert sessionary.clock.now() == datetime(2026, 3, 1, 12, tzinfo=UTC)
            (session,) = sessionary.sessions()
            assert session["since"] == "2026-03-01T11:59:00.000000Z"

        @pytest.mark.sessionary(now=datetime(2027, 1, 1, tzinfo=UTC))
        def test_the_closest_marker_wins(sessionary):
            assert sessionary.clock.now().year == 2027
            assert len(sessionary.sessions()) == 1

        @pytest.mark.sessionary(faults=[{"surface": "notte", "status": 503, "times": 1}])
        def test_with_a_fault(sessionary):
            refused = requests.post(sessionary.notte.url + "/session/start", json={}, headers=WHO)
            assert refused.status_code == 503
            start(sessionary)
    """
    suite(text, "inner/test_suite.py").assert_outcomes(passed=3)


def test_a_wrong_marker_is_refused_with_its_signature(suite: Suite) -> None:
    result = suite(
        """
        @pytest.mark.sessionary("2026-03-01T12:00:00Z")
        def test_one(sessionary):
            pass

        @pytest.mark.sessionary(sed="x")
        def test_two(sessionary):
            pass
        """
    )
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [
            "*write @pytest.mark.sessionary(name=None, now=None, ids=None, seed=None, faults=(), "
            "record=True):*"
        ]
    )


def test_a_test_can_make_several_namespaces(suite: Suite) -> None:
    suite(
        f"""
        SEED = {SEED!r}
        SEEDED = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01"

        def test_two(sessionary, make_sessionary):
            other = make_sessionary(now="2026-03-01T12:00:00Z", seed=SEED)
            start(sessionary)
            assert [each["id"] for each in other.sessions()] == [SEEDED]
            assert other.clock.now().year == 2026

        def test_they_are_dropped(sessionary_server):
            assert sessionary_server.client.namespaces.list() == ["default"]

        def test_a_refused_seed_leaves_no_namespace(make_sessionary, sessionary_server):
            import pytest
            from sessionary.client import ControlError

            with pytest.raises(ControlError, match="unknown table"):
                make_sessionary(seed="[[nothing]]")
            with pytest.raises(ValueError, match=r"seed=Path\\('fixtures.toml'\\)"):
                make_sessionary(seed="fixtures.toml")
            assert sessionary_server.client.namespaces.list() == ["default"]
        """
    ).assert_outcomes(passed=3)


def test_a_namespace_can_be_forked_saved_restored_and_reset(suite: Suite) -> None:
    suite(
        f"""
        SEED = {SEED!r}

        def test_it(sessionary, tmp_path):
            session = start(sessionary)
            copy = sessionary.fork()
            copy.clock.advance(hours=1)
            assert status(copy, session) == "timed_out"
            assert status(sessionary, session) == "active"
            file = sessionary.snapshot(tmp_path / "saved.sqlite3")
            assert sessionary.seed(SEED) == 2
            assert len(sessionary.sessions()) == 2
            sessionary.restore(file)
            assert [each["id"] for each in sessionary.sessions()] == [session]
            sessionary.reset()
            assert sessionary.sessions() == []

        def test_forks_are_dropped_too(sessionary_server):
            assert sessionary_server.client.namespaces.list() == ["default"]
        """
    ).assert_outcomes(passed=2)


def test_a_test_may_drop_its_namespace_itself(suite: Suite) -> None:
    suite("def test_it(sessionary): sessionary.drop()").assert_outcomes(passed=1)


def test_the_settings_of_the_double_can_be_overridden(suite: Suite) -> None:
    suite(
        """
        @pytest.fixture(scope="session")
        def sessionary_settings():
            return {"galtea_auto_close_minutes": 7}

        def test_it(sessionary):
            body = {"versionId": "ver_123"}
            session = call("POST", "/sessions", sessionary.galtea, body)["id"]
            sessionary.clock.freeze()
            sessionary.clock.advance(minutes=7)
            assert sessionary.explain(session)["status"] == "COMPLETED"
        """
    ).assert_outcomes(passed=1)


def test_the_same_suite_runs_against_a_remote_double(suite: Suite, remote_url: str) -> None:
    suite(
        """
        def test_it(sessionary):
            session = start(sessionary)
            sessionary.clock.freeze()
            sessionary.clock.advance_to_next()
            assert status(sessionary, session) == "timed_out"
            print(sessionary.url)

        def test_a_late_call_creates_its_namespace_again(sessionary):
            sessionary.drop()
            start(sessionary)
            sessionary.drop = lambda: None
        """,
        "-s",
        f"--sessionary-url={remote_url}",
        "--sessionary-leaks=off",
    ).stdout.fnmatch_lines([f"*{remote_url}*", "*2 passed*"])
    assert Client(remote_url).namespaces.list() == ["default"]


def test_a_url_without_a_double_fails_with_one_sentence(suite: Suite) -> None:
    result = suite("def test_it(sessionary): pass", "--sessionary-url=http://127.0.0.1:9")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ConnectionError: http://127.0.0.1:9 does not answer*"])


def test_sdks_find_the_namespace_by_environment_variables(suite: Suite) -> None:
    suite(
        """
        import os
        import pytest
        from galtea import Galtea
        from scale_gp import SGPClient

        @pytest.fixture(autouse=True)
        def proxy(monkeypatch):
            monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
            monkeypatch.setenv("NO_PROXY", "intranet.test, 10.0.0.0/8")

        def test_it(proxy, sessionary_env, sessionary):
            kept = "intranet.test,10.0.0.0/8,127.0.0.1"
            assert (os.environ["NO_PROXY"], os.environ["no_proxy"]) == (kept, kept)
            with Galtea(api_key=os.environ["GALTEA_API_KEY"]) as galtea:
                galtea.sessions.create(version_id="ver_123")
            with SGPClient() as scale:
                body = {"title": "t", "state": {}, "account_id": os.environ["SGP_ACCOUNT_ID"]}
                scale.post("/v4/sessions", cast_to=object, body=body)
            assert [each["surface"] for each in sessionary.sessions()] == ["scale", "galtea"]
            assert sessionary_env["SESSIONARY_URL"] == sessionary.url

        def test_they_are_removed_afterwards():
            assert "GALTEA_API_KEY" not in os.environ
        """,
        "--sessionary-leaks=off",
    ).assert_outcomes(passed=2)


def test_a_reset_returns_to_what_the_marker_describes(suite: Suite) -> None:
    result = suite(
        '''
        import pytest

        ID = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01"
        SEED = f"""
        [[organizations]]
        id = "acme"
        name = "Acme"

        [[notte.sessions]]
        id = "{ID}"
        organization = "acme"
        timeout_minutes = 5
        created_ago = "3m"
        """
        FAULT = {"surface": "notte", "preset": "overloaded", "times": 1}

        @pytest.mark.sessionary(
            name="mine", now="2026-03-01T12:00:00Z", ids="x", seed=SEED, faults=[FAULT]
        )
        def test_one(sessionary):
            def state():
                return sessionary.clock.get(), sessionary.sessions(), sessionary.faults.list()

            assert sessionary.namespace == "mine"
            described = state()
            assert "detail" in call("POST", "/session/start", sessionary.notte, {})
            first = start(sessionary)
            sessionary.clock.advance("1h")
            assert state() != described
            sessionary.reset()
            assert state() == described
            sessionary.faults.clear()
            assert start(sessionary) == first

        def test_two(make_sessionary):
            namespace = make_sessionary(now="2026-03-01T12:00:00Z", seed=SEED)
            fork = namespace.fork()
            close(fork, start(fork))
            fork.reset()
            assert fork.sessions() == namespace.sessions() != []
        ''',
        "--sessionary-leaks=off",
    )
    result.assert_outcomes(passed=2)
