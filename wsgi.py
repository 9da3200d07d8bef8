"""For `gunicorn wsgi:app`; `sessionary serve` does the same and needs no file."""

from sessionary import Settings, create_app

app = create_app(Settings.from_env())
