"""For `gunicorn wsgi:app`; `sessionary serve` does the same without this file."""

from sessionary import create_app, load_settings

app = create_app(load_settings())
