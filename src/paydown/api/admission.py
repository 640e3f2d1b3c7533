"""Who is let in by the three headers, and what every such call reads of its request.

Law of this file: what is wrong is answered in the order that ``docs/reference/wire.md`` gives, and
every call of Legend's is let in here.
"""

import asyncio
from concurrent.futures import Executor
from functools import partial
from http import HTTPStatus

from starlette.types import Receive

from paydown.access import Authenticator, Denial, Reason
from paydown.api import answers, headers
from paydown.api.answers import Answer
from paydown.api.bodies import Unread, read_body
from paydown.domain.model import Bundle, Caller
from paydown.telemetry import Exchange
from paydown.wire import messages
from paydown.wire.faults import Faults
from paydown.wire.formats import read_guid

STAFF_USER_MAX = 255
"""The most characters kept of who acted, as ``LegendUserName`` says."""

FAULTS_LOGGED_MAX = 5


class Gate:
    """Proves who calls, and reads bodies up to a bound."""

    def __init__(
        self, authenticator: Authenticator, verifiers: Executor, *, body_bytes_max: int
    ) -> None:
        self._authenticator = authenticator
        self._verifiers = verifiers
        self.body_bytes_max = body_bytes_max

    def recall(self, values: headers.Values, exchange: Exchange) -> Caller | Answer | None:
        """Who calls, or the answer to whom it is denied; None: only the store can tell."""
        if headers.declared_bytes(values) > self.body_bytes_max:
            return answers.too_large(self.body_bytes_max)
        exchange.customer_guid = read_guid(headers.read_text(values[headers.CUSTOMER_GUID]))
        verdict = self._authenticator.recall(**headers.read_credentials(values, exchange.address))
        return None if verdict is None else _judge(verdict, exchange)

    async def verify(self, values: headers.Values, exchange: Exchange) -> Caller | Answer:
        """The same, by what the store says."""
        credentials = headers.read_credentials(values, exchange.address)
        verify = partial(self._authenticator.verify, **credentials)
        verdict = await asyncio.get_running_loop().run_in_executor(self._verifiers, verify)
        return _judge(verdict, exchange)

    async def read_body(self, receive: Receive) -> bytes | Answer | None:
        """The body, the answer to one that is too large, or None when the client went away."""
        body = await read_body(receive, bytes_max=self.body_bytes_max)
        if body is Unread.TOO_LARGE:
            return answers.too_large(self.body_bytes_max)
        return None if body is Unread.ABANDONED else body


def check_bundle(caller: Caller, bundle: Bundle, exchange: Exchange) -> Answer | None:
    """The answer to a caller who does not hold the bundle."""
    if bundle in caller.bundles:
        return None
    exchange.login_refused = "bundle"
    return answers.bundle_missing(bundle)


def refuse_faults(faults: Faults | None, exchange: Exchange) -> Answer:
    """The answer to a request that is not well formed."""
    assert faults is not None, "a fault was read"
    exchange.faults = [fault.key for fault in faults.faults[:FAULTS_LOGGED_MAX]]
    return Answer(HTTPStatus.BAD_REQUEST, messages.invalid(faults), (), "The request is invalid.")


def read_staff_user(values: headers.Values, exchange: Exchange) -> str | None:
    """Who acted, or None: a payment is not refused for a name that cannot be kept."""
    sent = values[headers.STAFF_USER]
    if not sent:
        return None
    name = headers.read_text(sent)
    if name and len(name) <= STAFF_USER_MAX and name.isprintable():
        return name
    exchange.staff_user_ignored = True
    return None


def _judge(verdict: Caller | Denial, exchange: Exchange) -> Caller | Answer:
    if isinstance(verdict, Denial):
        return _deny(verdict, exchange)
    exchange.user_name = verdict.user_name
    return verdict


def _deny(denial: Denial, exchange: Exchange) -> Answer:
    if denial.reason is Reason.UNAVAILABLE:
        return answers.login_unavailable(denial.sentence or "")
    exchange.login_refused = denial.reason.name.lower()
    if denial.reason is Reason.THROTTLED:
        return answers.throttled(denial.retry_seconds or 1)
    if denial.reason is Reason.FORBIDDEN:
        return answers.CUSTOMER_FORBIDDEN
    return answers.UNAUTHENTICATED
