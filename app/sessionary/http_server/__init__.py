"""The HTTP/1.1 core: one thread waits for all connections and answers each complete request.

gunicorn's parser reads the requests; nothing else of gunicorn is used here. The loop collects
requests without blocking, answers each one that is complete, and sends the response as the client
makes room. A request of unknown length goes to a thread: a chunked body, or a client that waits for
`100 Continue`. TLS handshakes are non-blocking too, and every client has a deadline.
"""

from sessionary.http_server.limits import Limits
from sessionary.http_server.server import HttpServer

__all__ = ["HttpServer", "Limits"]
