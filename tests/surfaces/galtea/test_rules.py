import pytest

from sessionary.surfaces.galtea import rules
from sessionary.surfaces.galtea.errors import Missing, Refusal
from sessionary.surfaces.galtea.models import SessionRow

MINUTE = 60_000_000
START = 1_000 * MINUTE
DEADLINE = START + 30 * MINUTE


def session(**facts: object) -> SessionRow:
    row = SessionRow(
        id="s",
        organization="o",
        custom_id=None,
        version="v",
        product="p",
        user=None,
        test_case=None,
        test="",
        run=None,
        is_production=1,
        context=None,
        metadata=None,
        status="PENDING",
        stopping_reason=None,
        error=None,
        created_at=START,
        written_at=START,
        auto_close_minutes=30,
        expires_at=None,
        deleted_at=None,
    )._replace(**facts)
    return row._replace(expires_at=rules.deadline(row.status, START, row.auto_close_minutes))


def test_one_microsecond_before_the_deadline_is_pending() -> None:
    assert rules.status(session(), DEADLINE - 1) == "PENDING"
    assert rules.stopping_reason(session(), DEADLINE - 1) is None


@pytest.mark.parametrize("late", [0, 1, 1_000 * MINUTE])
def test_the_deadline_itself_is_completed_and_so_is_everything_later(late: int) -> None:
    assert rules.status(session(), DEADLINE + late) == "COMPLETED"
    said = "Automatically closed after 30 minutes of inactivity"
    assert rules.stopping_reason(session(), DEADLINE + late) == said


def test_status_is_the_state_after_the_last_transition_passed() -> None:
    (transition,) = rules.transitions(session())
    assert (transition.at, transition.deadline, transition.rule) == (
        DEADLINE,
        DEADLINE,
        "auto_close",
    )
    assert rules.status(session(), transition.at - 1) == transition.from_status == "PENDING"
    assert rules.status(session(), transition.at) == transition.to_status == "COMPLETED"


def test_the_reason_of_closing_by_itself_names_the_minutes_in_force() -> None:
    row = session(auto_close_minutes=7)
    said = "Automatically closed after 7 minutes of inactivity"
    assert rules.stopping_reason(row, START + 7 * MINUTE) == said


@pytest.mark.parametrize("own", ["GOAL_ACHIEVED", ""])
def test_a_session_with_a_reason_of_its_own_keeps_it_when_it_closes_by_itself(own: str) -> None:
    row = session(stopping_reason=own)
    assert rules.status(row, DEADLINE) == "COMPLETED"
    assert rules.stopping_reason(row, DEADLINE) == own


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED"])
def test_only_a_pending_session_closes_by_itself(status: str) -> None:
    row = session(status=status)
    assert rules.transitions(row) == []
    assert rules.status(row, DEADLINE) == status
    assert rules.stopping_reason(row, DEADLINE) is None


def test_without_minutes_a_session_stays_pending_for_ever() -> None:
    row = session(auto_close_minutes=None)
    assert rules.transitions(row) == []
    assert rules.status(row, START + 10**9 * MINUTE) == "PENDING"


def test_a_deleted_session_changes_no_more() -> None:
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
def test_a_session_is_production_unless_told_otherwise_or_with_a_test_case(
    test_case: str | None, wanted: bool | None, is_production: bool
) -> None:
    assert rules.is_production(test_case, wanted, has_context=False) is is_production


@pytest.mark.parametrize("wanted", [None, True, False])
def test_a_context_is_welcome_without_a_test_case(wanted: bool | None) -> None:
    assert rules.is_production(None, wanted, has_context=True) is (wanted is not False)


@pytest.mark.parametrize("has_context", [True, False])
def test_a_test_case_forbids_production(has_context: bool) -> None:
    with pytest.raises(Refusal, match="isProduction"):
        rules.is_production("tc", True, has_context=has_context)


@pytest.mark.parametrize("wanted", [None, False])
def test_a_test_case_forbids_a_context(wanted: bool | None) -> None:
    with pytest.raises(Refusal, match="context"):
        rules.is_production("tc", wanted, has_context=True)


def test_a_production_session_joins_no_run() -> None:
    with pytest.raises(Refusal, match="runId"):
        rules.may_join("run_1", is_production=True)


@pytest.mark.parametrize(("run", "is_production"), [("run_1", False), (None, True), (None, False)])
def test_a_run_takes_every_other_session(run: str | None, is_production: bool) -> None:
    rules.may_join(run, is_production=is_production)


def test_a_session_needs_a_version_or_a_product() -> None:
    with pytest.raises(Refusal, match="versionId or productId"):
        rules.may_be_placed(None, None)


@pytest.mark.parametrize(("version", "product"), [("v", None), (None, "p"), ("v", "p")])
def test_either_of_version_and_product_is_enough(version: str | None, product: str | None) -> None:
    rules.may_be_placed(version, product)


def test_the_context_of_a_test_case_cannot_be_replaced_but_cleared() -> None:
    row = session(test_case="tc")
    rules.may_set_context(row, None)
    with pytest.raises(Refusal, match="context"):
        rules.may_set_context(row, {})


def test_a_session_without_a_test_case_takes_any_context() -> None:
    rules.may_set_context(session(), {"value": ""})


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
def test_a_finished_session_failed_if_there_was_an_error(
    reason: str | None, error: str | None, status: str
) -> None:
    assert rules.outcome(reason, error) == status


@pytest.mark.parametrize("reason", [None, ""])
@pytest.mark.parametrize("error", [None, ""])
def test_finishing_needs_a_reason_or_an_error(reason: str | None, error: str | None) -> None:
    with pytest.raises(Refusal, match="stoppingReason or error"):
        rules.outcome(reason, error)


def test_ids_that_are_missing_are_named_once_in_the_order_of_asking() -> None:
    with pytest.raises(Missing, match=r"^Sessions not found: c, a$"):
        rules.are_all_there(["c", "b", "a", "c"], {"b"})


def test_nothing_is_missing_where_every_id_is_there() -> None:
    rules.are_all_there(["b", "b"], {"a", "b"})
