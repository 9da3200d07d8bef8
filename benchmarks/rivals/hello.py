"""The least that a Flask application can do."""

from flask import Flask

app = Flask("hello", static_folder=None)


@app.get("/")
def hello() -> str:
    return "Hello, Namespace!"
