import pytest

from sessionary.surfaces.galtea import rules
from sessionary.surfaces.galtea.errors import GalteaError, NotFound
from sessionary.surfaces.galtea.models import SessionRow

MINUTE = 60_000_000
START = 1_000 * MINUTE
DEADLINE = START + 30 * MINUTE


def session(**facts: object) -> SessionRow:
    row = SessionRow(
        id="s",
        organization="o",
        version="v",
        product="p",
        status="PENDING",
        created_at=START,
        written_at=START,
        status_since_at=START,
        auto_close_minutes=30,
    )._replace(**facts)
    return row._replace(expires_at=rules.deadline(row.status, START, row.auto_close_minutes))


def test_a_session_is_pending_until_its_deadline_and_completed_from_then_on() -> None:
    (transition,) = rules.transitions(session())
    assert (transition.at, transition.deadline, transition.rule) == (
        DEADLINE,
        DEADLINE,
        "auto_close",
    )
    reason = "Automatically closed after 30 minutes of inactivity"
    for late, status, said in (
        (-1, transition.from_status, None),
        (0, transition.to_status, reason),
        (1, "COMPLETED", reason),
        (1_000 * MINUTE, "COMPLETED", reason),
    ):
        assert rules.status(session(), DEADLINE + late) == status
        assert rules.stopping_reason(session(), DEADLINE + late) == said
    assert (transition.from_status, transition.to_status) == ("PENDING", "COMPLETED")


def test_the_reason_of_an_auto_close_names_the_configured_minutes() -> None:
    row = session(auto_close_minutes=7)
    reason = "Automatically closed after 7 minutes of inactivity"
    assert rules.stopping_reason(row, START + 7 * MINUTE) == reason


@pytest.mark.parametrize("own", ["GOAL_ACHIEVED", ""])
def test_an_auto_close_keeps_the_stopping_reason_that_a_call_set(own: str) -> None:
    row = session(stopping_reason=own)
    assert rules.status(row, DEADLINE) == "COMPLETED"
    assert rules.stopping_reason(row, DEADLINE) == own


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED"])
def test_only_a_pending_session_closes_by_itself(status: str) -> None:
    row = session(status=status)
    assert rules.transitions(row) == []
    assert rules.status(row, DEADLINE) == status
    assert rules.stopping_reason(row, DEADLINE) is None


def test_a_session_without_minutes_stays_pending() -> None:
    row = session(auto_close_minutes=None)
    assert rules.transitions(row) == []
    assert rules.status(row, START + 10**9 * MINUTE) == "PENDING"


def test_a_deleted_session_has_no_transition() -> None:
    assert rules.transitions(session(deleted_at=START)) == []


@pytest.mark.parametrize(
    ("test_case", "wanted", "is_production"),
    [
        (None, None, True),
        (None, True, True),
        (None, False, False),
        ("tc", None, False),
        ("tc", False, False),
    ],
)
def test_a_session_is_production_without_a_test_case_unless_the_caller_says_otherwise(
    test_case: str | None, wanted: bool | None, is_production: bool
) -> None:
    rules.ensure_fits_test_case(test_case, wanted, has_context=False)
    assert rules.is_production(test_case, wanted) is is_production


@pytest.mark.parametrize("wanted", [None, True, False])
def test_only_without_a_test_case_a_session_is_production_or_has_a_context(
    wanted: bool | None,
) -> None:
    rules.ensure_fits_test_case(None, wanted, has_context=True)
    assert rules.is_production(None, wanted) is (wanted is not False)
    for has_context in (True, False) if wanted else (True,):
        with pytest.raises(GalteaError, match="isProduction" if wanted else "context"):
            rules.ensure_fits_test_case("tc", wanted, has_context=has_context)


@pytest.mark.parametrize(("run", "is_production"), [("run_1", False), (None, True), (None, False)])
def test_a_production_session_cannot_join_a_run(run: str | None, is_production: bool) -> None:
    rules.ensure_can_join_run(run, is_production=is_production)
    with pytest.raises(GalteaError, match="runId"):
        rules.ensure_can_join_run("run_1", is_production=True)


@pytest.mark.parametrize(("version", "product"), [("v", None), (None, "p"), ("v", "p")])
def test_a_session_needs_a_version_or_a_product(version: str | None, product: str | None) -> None:
    rules.ensure_has_version_or_product(version, product)
    with pytest.raises(GalteaError, match="versionId or productId"):
        rules.ensure_has_version_or_product(None, None)


def test_the_context_of_a_test_case_can_be_cleared_but_not_replaced() -> None:
    rules.ensure_can_set_context(session(), {"value": ""})
    rules.ensure_can_set_context(session(test_case="tc"), None)
    with pytest.raises(GalteaError, match="context"):
        rules.ensure_can_set_context(session(test_case="tc"), {})


def test_a_custom_id_that_another_session_has_is_refused() -> None:
    with pytest.raises(GalteaError, match="'c' already exists for version with ID: 'v'"):
        rules.ensure_custom_id_free(session(custom_id="c"), "another")


@pytest.mark.parametrize(
    ("facts", "holder"),
    [
        ({"custom_id": "c"}, None),
        ({"custom_id": "c"}, "s"),
        ({"custom_id": "c", "deleted_at": START}, "another"),
        ({"custom_id": None}, "another"),
    ],
)
def test_a_custom_id_is_free_without_another_session_that_has_it(
    facts: dict[str, object], holder: str | None
) -> None:
    rules.ensure_custom_id_free(session(**facts), holder)


@pytest.mark.parametrize(
    ("reason", "error", "status"),
    [
        ("GOAL", None, "COMPLETED"),
        ("GOAL", "", "COMPLETED"),
        (" ", None, "COMPLETED"),
        (None, "HTTP 422", "FAILED"),
        ("", "HTTP 422", "FAILED"),
        ("GOAL", "HTTP 422", "FAILED"),
    ],
)
def test_a_session_finishes_as_failed_if_it_has_an_error(
    reason: str | None, error: str | None, status: str
) -> None:
    rules.ensure_has_outcome(reason, error)
    assert rules.outcome(error) == status


@pytest.mark.parametrize("reason", [None, ""])
@pytest.mark.parametrize("error", [None, ""])
def test_finishing_needs_a_reason_or_an_error(reason: str | None, error: str | None) -> None:
    with pytest.raises(GalteaError, match="stoppingReason or error"):
        rules.ensure_has_outcome(reason, error)


def test_missing_ids_are_named_once_in_the_given_order() -> None:
    rules.ensure_all_exist(["b", "b"], {"a", "b"})
    with pytest.raises(NotFound, match=r"^Sessions not found: c, a$"):
        rules.ensure_all_exist(["c", "b", "a", "c"], {"b"})
