"""The shape of what the control plane refuses with."""

from marshmallow import fields

from sessionary.control.fields import Strict
from sessionary.web.fields import Integer, Text


class Place(Strict):
    """A place in the request, as a JSON pointer or a name, and what is wrong there."""

    pointer = Text(required=True)
    detail = Text(required=True)


class Problem(Strict):
    """A problem document (RFC 9457)."""

    type = Text(required=True)
    title = Text(required=True)
    status = Integer(required=True)
    detail = Text(required=True)
    errors = fields.List(fields.Nested(Place))
