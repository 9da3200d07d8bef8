"""The smallest Flask application."""

from flask import Flask

app = Flask("hello", static_folder=None)


@app.get("/")
def hello() -> str:
    return "Hello, World!"
