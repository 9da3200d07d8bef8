"""What the HTTP core and the application agree on for WebSockets.

The application answers a request with the key UPGRADE in its environment with 101 to accept it.
Each message is then a call of its own, to the same path with the method WS: its body is the
message, of the content type TEXT or BINARY, and the body of its response is sent back.
"""

METHOD = "WS"
UPGRADE = "sessionary.upgrade"
# The key of a function that closes the connection after the response, with a code.
CLOSE = "sessionary.close"
TEXT, BINARY = "application/json", "application/octet-stream"
