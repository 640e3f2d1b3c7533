"""What keeps a server from starting."""


class ServeError(Exception):
    """The server could not start. ``str()`` is a sentence for an operator."""
