"""Read by `gunicorn wsgi:app` in this folder: the worker of `sessionary serve`, with its limits."""

from sessionary import load_settings
from sessionary.server.worker import GRACEFUL_SECONDS, make_worker

worker_class = make_worker(load_settings())
graceful_timeout = GRACEFUL_SECONDS
control_socket_disable = True
