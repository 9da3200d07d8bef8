"""For `gunicorn wsgi:app`; `sessionary serve` does the same without this file."""

from sessionary import Settings, create_app

app = create_app(Settings.from_env())
