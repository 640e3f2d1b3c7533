"""One request and its answer."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from paydown.server.limits import HttpRefusal, refuse


class Cycle(RequestResponseCycle):
    """uvicorn's, except that its last words are JSON and that the connection does the closing.

    ``closes`` says, once the answer is under way, that the connection ends with it.
    """

    closes = False
    rest_is_short: Callable[[], bool]

    def send(self, message: ASGISendEvent) -> Coroutine[Any, Any, None]:
        """As in ASGI. An answer that overtakes a long body says that it closes the connection."""
        if message["type"] == "http.response.start":
            if self.more_body and not self.rest_is_short():
                self.keep_alive = False
        else:
            self.closes = self.closes or not self.keep_alive
            self.keep_alive = True
        return super().send(message)

    async def send_500_response(self) -> None:
        """Answer for an application that raised, or that was cut off when the drain ran out."""
        cut_off = isinstance(sys.exception(), asyncio.CancelledError)
        refusal = HttpRefusal.stopping if cut_off else HttpRefusal.failed
        client = self.scope["client"]
        headers = refuse(refusal, self.scope["headers"], address=client[0] if client else "")
        await self.send(
            {"type": "http.response.start", "status": refusal.status, "headers": headers}
        )
        await self.send({"type": "http.response.body", "body": refusal.body, "more_body": False})

    def abandon(self) -> None:
        """Tell the application that nobody waits for its answer any more."""
        self.disconnected = True
        self.message_event.set()
