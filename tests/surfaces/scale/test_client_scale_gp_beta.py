"""The vendor's newest SDK, unmodified. Its conversation checks each answer itself."""

from pathlib import Path

from tests.conftest import App, Serve
from tests.sdk_environments import sdk_script

SCRIPT = Path(__file__).with_name("conversation_scale_gp.py")


def test_a_session_from_creation_to_archive_with_its_errors(app: App, serve: Serve) -> None:
    results = sdk_script.run("scale-gp-beta-0.7.0", SCRIPT, serve(app), "scale_gp_beta")
    assert results == {"calls": "post, get, patch, delete"}
