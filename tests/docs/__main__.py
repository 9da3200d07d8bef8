"""`python -m tests.docs` writes the generated documents."""

from tests.docs.generated import DOCUMENTS

for path, write in DOCUMENTS.items():
    path.write_text(write(), encoding="utf-8")
