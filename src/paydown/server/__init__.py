"""The HTTP server: uvicorn with our limits, our errors, and a drain that answers what it took."""

from paydown.server.limits import HttpLimits
from paydown.server.run import Listening, ServeError, serve

__all__ = ["HttpLimits", "Listening", "ServeError", "serve"]
