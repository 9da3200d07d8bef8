import re
import uuid
from collections.abc import Iterator

import pytest

from sessionary import ids, store
from sessionary.ids import IdSequence


@pytest.fixture(autouse=True)
def _in_a_namespace() -> Iterator[None]:
    namespace = store.open_namespace(":memory:", durability="off")
    with namespace.activate():
        store.migrate(store.Schema((IdSequence,), ids.start))
        yield
    namespace.close()


def test_ids_are_random_unless_a_seed_is_given() -> None:
    assert len({ids.uuid() for _ in range(100)}) == 100
    assert len({ids.secret() for _ in range(100)}) == 100


def test_a_seeded_sequence_is_the_same_in_every_run() -> None:
    ids.seed("a test")
    first = [ids.uuid(), ids.word(24, "ab"), ids.secret()]
    ids.seed("a test")
    assert [ids.uuid(), ids.word(24, "ab"), ids.secret()] == first
    ids.seed("another test")
    assert ids.uuid() != first[0]


def test_a_seeded_sequence_has_no_duplicates() -> None:
    ids.seed("a test")
    assert len({ids.uuid() for _ in range(100)}) == 100


def test_a_namespace_without_its_seed_is_random_again() -> None:
    ids.seed("a test")
    first = ids.uuid()
    ids.seed(None)
    assert ids.uuid() != ids.uuid() != first


@pytest.mark.parametrize("seed", [None, "a test"])
def test_uuids_are_of_version_4_and_secrets_are_long(seed: str | None) -> None:
    ids.seed(seed)
    assert uuid.UUID(ids.uuid()).version == 4
    assert re.fullmatch("[A-Za-z0-9]{43}", ids.secret())
