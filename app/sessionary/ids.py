"""The one mint of ids and keys: random, or a seeded sequence that is the same in every run."""

import random
import secrets
import uuid as uuids

import peewee as pw

from sessionary import store
from sessionary.store import Statement, param

_URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Mint(store.Model):
    """One row: without a seed, ids are random."""

    id = pw.IntegerField(primary_key=True)
    seed = pw.TextField(null=True)
    count = pw.IntegerField()


_state = Statement(tuple, lambda: Mint.select(Mint.seed, Mint.count))
_advance = Statement(tuple, lambda: Mint.update(count=Mint.count + 1))
_reseed = Statement(tuple, lambda: Mint.update(seed=param("seed"), count=0))


def start() -> None:
    """Write the first row of a new namespace: random ids."""
    Mint.create(id=1, seed=None, count=0)


def seed(text: str | None) -> None:
    """From here on the ids of this namespace follow from `text`; None makes them random again."""
    with store.transaction():
        _reseed.run(seed=text)


def uuid() -> str:
    """A new UUID, version 4, in lower case."""
    source = _source()
    if source is None:
        return str(uuids.uuid4())
    return str(uuids.UUID(int=source.getrandbits(128), version=4))


def canonical(text: str) -> str:
    """A UUID as it is stored; UUIDs match in any case."""
    return text.lower()


def word(length: int, alphabet: str) -> str:
    """A new word of `length` letters of `alphabet`."""
    source = _source()
    count = len(alphabet) ** length
    number = secrets.randbelow(count) if source is None else source.randrange(count)
    letters = []
    for _ in range(length):
        number, place = divmod(number, len(alphabet))
        letters.append(alphabet[place])
    return "".join(letters)


def secret() -> str:
    """A new key's unguessable part: 43 letters and digits, about 256 bits."""
    return word(43, _URL_SAFE)


def _source() -> random.Random | None:
    text, count = _state.one() or (None, 0)
    if text is None:
        return None
    _advance.run()
    return random.Random(f"{text}:{count}")  # noqa: S311 - a sequence that a test asked for
