"""The generated documents are those of today's program."""

from pathlib import Path

import pytest

from tests.docs.generated import DOCUMENTS


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_generated_document_is_up_to_date(path: Path) -> None:
    """If it is not: python -m tests.docs."""
    assert path.read_text(encoding="utf-8") == DOCUMENTS[path]()
