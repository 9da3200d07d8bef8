"""Ids and keys: random, or a seeded sequence that is the same in every run."""

import random
import secrets
import uuid as uuids
from collections.abc import Sequence

import peewee as pw

from sessionary import store
from sessionary.store import Statement, param

RUN = "run:"  # begins a seed that only a recorded run has: random, and kept in the run
_URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class IdSequence(store.Model):
    """One row. Without a seed, ids are random."""

    id = pw.IntegerField(primary_key=True)
    seed = pw.TextField(null=True)
    count = pw.IntegerField()

    class Meta:
        table_name = "mint"


_state = Statement(tuple, lambda: IdSequence.select(IdSequence.seed, IdSequence.count))
_advance = Statement(tuple, lambda: IdSequence.update(count=IdSequence.count + param("by")))
_set_count = Statement(tuple, lambda: IdSequence.update(count=param("number")))
_reseed = Statement(tuple, lambda: IdSequence.update(seed=param("seed"), count=0))


def start() -> None:
    """Insert the row of a new namespace: random ids."""
    IdSequence.create(id=1, seed=None, count=0)


def seed(text: str | None) -> None:
    """Derive the ids of this namespace from `text` from now on; None makes them random."""
    with store.transaction():
        _reseed.run(seed=text)
    namespace = store.current_namespace()
    namespace.seeded_ids = namespace.generation, _is_given(text)


def ensure_seed(text: str | None) -> None:
    """Seed the ids unless they have this seed: a database that is opened again goes on with it."""
    if seed_text() != text:
        seed(text)


def seed_text() -> str | None:
    """Return the seed of this namespace's ids."""
    found = _state.one()
    return None if found is None else found[0]


def count() -> int:
    """Return how many ids this namespace has derived from its seed."""
    found = _state.one()
    return 0 if found is None else found[1]


def set_count(number: int) -> None:
    """Go on with the ids after this many."""
    with store.transaction():
        _set_count.run(number=number)


def _is_given(text: str | None) -> bool:
    return text is not None and not text.startswith(RUN)


def is_seeded() -> bool:
    """Return whether the ids have a seed that was given, so that two runs give the same."""
    namespace = store.current_namespace()
    generation, is_seeded = namespace.seeded_ids
    if generation != namespace.generation:
        is_seeded = _is_given(seed_text())
        namespace.seeded_ids = namespace.generation, is_seeded
    return is_seeded


def request_id(place: str) -> str:
    """Return the id of the request at this place; the ids of the namespace must have a seed.

    Requests take nothing from the sequence, so that a read changes no later id.
    """
    return f"{random.Random(f'{seed_text()}:{place}').getrandbits(64):016x}"  # noqa: S311 - reproducible


def uuid() -> str:
    """Return a new UUID, version 4, in lower case."""
    source = _random()
    if source is None:
        return str(uuids.uuid4())
    return str(uuids.UUID(int=source.getrandbits(128), version=4))


def canonical(text: str) -> str:
    """Return a UUID as it is stored; UUIDs match in any case."""
    return text.lower()


def word(length: int, alphabet: str) -> str:
    """Return `length` new characters of `alphabet`."""
    return _to_word(_random(), length, alphabet)


def words(count: int, length: int, alphabet: str) -> list[str]:
    """Return as many words as `count` calls of `word` would, at once."""
    return [_to_word(source, length, alphabet) for source in _sources(count)]


def _to_word(source: random.Random | None, length: int, alphabet: str) -> str:
    count = len(alphabet) ** length
    number = secrets.randbelow(count) if source is None else source.randrange(count)
    letters = []
    for _ in range(length):
        number, place = divmod(number, len(alphabet))
        letters.append(alphabet[place])
    return "".join(letters)


def secret() -> str:
    """Return the random part of a new key: 43 letters and digits, about 256 bits."""
    return word(43, _URL_SAFE)


def _random() -> random.Random | None:
    """Return the generator of the next id, or None if the namespace has no seed."""
    return _sources(1)[0]


def _sources(count: int) -> Sequence[random.Random | None]:
    text, first = _state.one() or (None, 0)
    if text is None:
        return [None] * count
    _advance.run(by=count)
    numbers = range(first, first + count)
    return [random.Random(f"{text}:{number}") for number in numbers]  # noqa: S311 - reproducible
