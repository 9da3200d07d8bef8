"""The middleware when the database fails."""

from pathlib import Path

from tests.control.conftest import NOTTE, SCALE, MakeDouble


def test_a_broken_database_is_answered_in_the_vendors_error_format(
    make_double: MakeDouble, tmp_path: Path
) -> None:
    file = tmp_path / "test.sqlite3"
    double = make_double(db=str(file))
    id = double.start()
    namespace = double.control.namespace
    namespace.disconnect()
    whole = file.read_bytes()
    with file.open("r+b") as damaged:
        damaged.write(b"no database" * 500)
    answer = double.client.get("/notte/sessions", headers=NOTTE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "busy or cannot be written" in answer.json["detail"]
    assert double.client.get("/scale/v4/sessions", headers=SCALE).status_code == 503
    control = double.call("GET", "/clock")
    assert (control.status_code, control.content_type) == (503, "application/problem+json")
    with file.open("r+b") as mended:
        mended.write(whole)
    assert double.status(id) == "active"
