"""Legend's calls beside the two: ``POST /POS/CreateBilling``, ``GET /Contacts/{Id}/Details``.

Law of this file: as in ``calls``, what is wrong is answered in the order that
``docs/reference/wire.md`` gives. What blocks runs in a thread.
"""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

from starlette.types import Receive

from paydown.api import answers, headers
from paydown.api.admission import Gate, check_bundle, read_staff_user, refuse_faults
from paydown.api.answers import Answer
from paydown.api.calls import DECODED_AT_ONCE_BYTES_MAX
from paydown.api.crews import Crew, Full
from paydown.desk import Instruction, Refused, Result
from paydown.domain.charging import NewBilling
from paydown.domain.contact_details import ContactDetails
from paydown.domain.model import Bundle, Caller
from paydown.domain.outcomes import KeyConflict
from paydown.storage.faults import StoreUnavailable
from paydown.telemetry import Exchange
from paydown.wire import billing, contact_details
from paydown.wire.faults import SEND_GUID, UNREADABLE, Fault, Faults, gather
from paydown.wire.formats import read_guid
from paydown.wire.headers import read_dry_run, read_idempotency_key, read_media

CreateBilling = Callable[[Instruction, NewBilling], Result]
FindDetails = Callable[[int, str], ContactDetails | None]
"""The contact of a customer's id and a contact's. Raises ``StoreUnavailable``."""

_CANNOT_WRITE = (
    "The books cannot be written now. Send this request again; under an Idempotency-Key it is "
    "recorded only once."
)
_CANNOT_READ = "The books cannot be read now. Send this request again."
_UNKNOWN_CONTACT = answers.refuse(
    HTTPStatus.NOT_FOUND, "There is no such contact of this customer."
)


class Neighbour(NamedTuple):
    """One of these calls: where it is, the method it takes, and the bundle that opens it."""

    path: str
    method: str
    bundle: Bundle


CREATE_BILLING = Neighbour("/POS/CreateBilling", "POST", Bundle.BILLING_PAYMENT)
DETAILS = Neighbour("/Contacts/{Id}/Details", "GET", Bundle.CONTACTS)

_IS_CREATE_BILLING = re.compile("/pos/createbilling/?", re.IGNORECASE).fullmatch
_IS_DETAILS = re.compile("/contacts/([^/]+)/details/?", re.IGNORECASE).fullmatch


class Asked(NamedTuple):
    """A request for one of these calls. ``contact`` is what its path says, if anything."""

    neighbour: Neighbour
    contact: str
    values: headers.Values
    exchange: Exchange


def find_neighbour(path: str) -> tuple[Neighbour, str] | None:
    """The call at the path, and the contact that it names."""
    if match := _IS_DETAILS(path):
        return DETAILS, match[1]
    return (CREATE_BILLING, "") if _IS_CREATE_BILLING(path) else None


class Neighbours:
    """Answers these calls. ``readers`` and ``writers`` are the threads that it does so in."""

    def __init__(
        self,
        gate: Gate,
        create_billing: CreateBilling,
        find_details: FindDetails,
        *,
        readers: Crew,
        writers: Crew,
    ) -> None:
        self._gate = gate
        self._create_billing = create_billing
        self._find_details = find_details
        self._readers = readers
        self._writers = writers

    async def answer(self, asked: Asked, receive: Receive) -> Answer | None:
        """The answer, or None where the client went away before its request was whole."""
        neighbour, _, values, exchange = asked
        if exchange.method != neighbour.method:
            return answers.method_not_allowed(neighbour.method)
        caller = self._gate.recall(values, exchange)
        if caller is None:
            caller = await self._gate.verify(values, exchange)
        if isinstance(caller, Answer):
            return caller
        if refused := check_bundle(caller, neighbour.bundle, exchange):
            return refused
        if neighbour is DETAILS:
            return await self._tell_details(asked, caller)
        return await self._charge(asked, caller, receive)

    async def _charge(self, asked: Asked, caller: Caller, receive: Receive) -> Answer | None:
        _, _, values, exchange = asked
        media = read_media(headers.only(values[headers.CONTENT_TYPE]))
        if media is None:
            return answers.UNSUPPORTED_MEDIA
        body = await self._gate.read_body(receive)
        if not isinstance(body, bytes):
            return body
        decode = partial(billing.decode, body, media, caller.time_zone)
        large = len(body) > DECODED_AT_ONCE_BYTES_MAX
        meant = await asyncio.to_thread(decode) if large else decode()
        key = read_idempotency_key(values[headers.IDEMPOTENCY_KEY])
        if isinstance(meant, Faults) or isinstance(key, Fault):
            return refuse_faults(gather(meant, key), exchange)
        exchange.dry_run = read_dry_run(values[headers.PREFER])
        instruction = Instruction(
            caller,
            f"POST {CREATE_BILLING.path}",
            key=key,
            staff_user=read_staff_user(values, exchange),
            request_id=exchange.request_id,
            address=exchange.address,
            dry_run=exchange.dry_run,
        )
        try:
            result = await self._writers.do(partial(self._create_billing, instruction, meant))
        except StoreUnavailable as fault:
            return answers.unavailable(_CANNOT_WRITE)._replace(reason=str(fault))
        return answers.BUSY if isinstance(result, Full) else _tell(result, exchange)

    async def _tell_details(self, asked: Asked, caller: Caller) -> Answer:
        contact_id = read_guid(asked.contact)
        if contact_id is None:
            fault = Fault("Id", UNREADABLE.format(name="Id", send=SEND_GUID))
            return refuse_faults(Faults((fault,)), asked.exchange)
        try:
            body = await self._readers.do(partial(self._read_details, caller, contact_id))
        except StoreUnavailable as fault:
            return answers.unavailable(_CANNOT_READ)._replace(reason=str(fault))
        if isinstance(body, Full):
            return answers.BUSY
        return _UNKNOWN_CONTACT if body is None else Answer(HTTPStatus.OK, body)

    def _read_details(self, caller: Caller, contact_id: str) -> bytes | None:
        found = self._find_details(caller.customer_id, contact_id)
        if found is None:
            return None
        return contact_details.encode(
            found, time_zone=caller.time_zone, minor_digits=caller.minor_digits
        )


def _tell(result: Result, exchange: Exchange) -> Answer:
    """What came of a billing item to make."""
    if isinstance(result, KeyConflict):
        return answers.KEY_CONFLICT
    applied = answers.dry_run_applied(exchange.dry_run)
    if isinstance(result, Refused):
        exchange.refusals = (result.refusal.name,)
        sentence = billing.SENTENCES.get(result.refusal, result.detail)
        return answers.refuse(HTTPStatus.BAD_REQUEST, sentence, *applied)
    if not exchange.dry_run:
        exchange.recorded, exchange.replayed = int(not result.replayed), int(result.replayed)
        exchange.replayed_by_key = result.replayed
    replayed = (answers.REPLAYED,) if result.replayed else ()
    return Answer(HTTPStatus(result.status), result.body, (*replayed, *applied))
