"""What a competent team would write first: FastAPI, Pydantic, SQLAlchemy, a transaction a request.

Law of this file and its neighbours: it is fair. The same tables, constraints and durability, the
same headers proved by argon2 and remembered, the same rules, the same bytes in an accepted answer.
What the load does not ask for (Idempotency-Key, strict handling, forms, digests, metrics, a log) is
left out, so it does less work than Paydown.
"""

import sys
import time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import uvicorn
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import Depends, FastAPI, Header, HTTPException, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine, select

from bench.peers.naive_ledger import Call, Caller, Ledger, LineResult, Refused, open_engine
from bench.peers.naive_messages import (
    PaymentLineAnswer,
    Payments,
    PaymentsAnswer,
    WriteDownLineAnswer,
    WriteDowns,
    WriteDownsAnswer,
)
from paydown.server.run import listen
from paydown.storage.schema import customer, login, login_grant

REMEMBERED_SECONDS = 300


class Directory:
    """Who calls, by the three headers, remembered for a while."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._known: dict[tuple[str, str, str], tuple[Caller, float]] = {}

    async def __call__(
        self,
        user_name: Annotated[str, Header(alias="userName")],
        password: Annotated[str, Header(alias="password")],
        customer_guid: Annotated[str, Header(alias="customerGuid")],
    ) -> Caller:
        """The caller, from memory or proved now. Raises HTTPException."""
        key = (user_name, password, customer_guid)
        if found := self._known.get(key):
            caller, fresh_until = found
            if time.monotonic() < fresh_until:
                return caller
        caller = await run_in_threadpool(self._prove, *key)
        self._known[key] = (caller, time.monotonic() + REMEMBERED_SECONDS)
        return caller

    def _prove(self, user_name: str, password: str, customer_guid: str) -> Caller:
        with self._engine.connect() as connection:
            found = connection.execute(select(login).where(login.c.user_name == user_name)).first()
            try:
                if found is None or not self._hasher.verify(found.password_hash, password):
                    raise HTTPException(401)
            except VerifyMismatchError:
                raise HTTPException(401) from None
            whose = connection.execute(
                select(customer).where(customer.c.customer_guid == customer_guid)
            ).first()
            if whose is None:
                raise HTTPException(403)
            bundles = connection.scalars(
                select(login_grant.c.bundle).where(
                    login_grant.c.customer_id == whose.customer_id,
                    login_grant.c.login_id == found.login_id,
                )
            )
            zone = ZoneInfo(whose.time_zone)
            own = (whose.customer_id, found.login_id, whose.minor_digits, zone)
            return Caller(*own, frozenset(bundles))


def make_app(database: str) -> FastAPI:
    """The application on a ledger."""
    engine = open_engine(database)
    directory, ledger, app = Directory(engine), Ledger(engine), FastAPI(openapi_url=None)
    Known = Annotated[Caller, Depends(directory)]  # noqa: N806 - it is a type
    RequestId = Annotated[str, Header(alias="X-Request-Id")]  # noqa: N806 - and so is it

    @app.post("/POS/BillingPayments")
    def record_payments(
        body: Payments, caller: Known, response: Response, request_id: RequestId = ""
    ) -> PaymentsAnswer:
        response.headers["X-Request-Id"] = request_id
        return _record_payments(ledger, caller, body, request_id)

    @app.post("/POS/BillingWriteDowns")
    def record_write_downs(
        body: WriteDowns, caller: Known, response: Response, request_id: RequestId = ""
    ) -> WriteDownsAnswer:
        response.headers["X-Request-Id"] = request_id
        return _record_write_downs(ledger, caller, body, request_id)

    return app


def _record_payments(
    ledger: Ledger, caller: Caller, body: Payments, request_id: str
) -> PaymentsAnswer:
    tender, date, lines = body.TenderTypeId, body.PaymentDate, body.BillingPayments
    call = Call("payment", caller, str(body.ContactId), tender, date, lines, request_id)
    results, error = _record(ledger, call, "BillingPayment")
    return PaymentsAnswer(
        ContactId=body.ContactId,
        BillingPayments=[
            PaymentLineAnswer(**_answer(call, each), PaymentDate=_date(call, each))
            for each in results
        ],
        ErrorMessage=error,
        Success=error is None and not any(each.error for each in results),
    )


def _record_write_downs(
    ledger: Ledger, caller: Caller, body: WriteDowns, request_id: str
) -> WriteDownsAnswer:
    tender, date, lines = body.TenderTypeId, body.WriteDownDate, body.BillingWriteDowns
    contact_id = str(body.ContactId)
    call = Call("write_down", caller, contact_id, tender, date, lines, request_id, body.Notes)
    results, error = _record(ledger, call, "BillingWriteDown")
    return WriteDownsAnswer(
        ContactId=body.ContactId,
        BillingWriteDowns=[
            WriteDownLineAnswer(**_answer(call, each), WriteDownDate=_date(call, each))
            for each in results
        ],
        ErrorMessage=error,
        Success=error is None and not any(each.error for each in results),
    )


def _record(ledger: Ledger, call: Call, bundle: str) -> tuple[list[LineResult], str | None]:
    if bundle not in call.caller.bundles:
        raise HTTPException(403)
    try:
        return ledger.record(call), None
    except Refused as refused:
        return [LineResult(line.BillingId) for line in call.lines], str(refused)


def _answer(call: Call, result: LineResult) -> dict[str, Any]:
    scale = 10**call.caller.minor_digits
    return {
        "BillingId": result.billing_id,
        "Balance": None if result.balance is None else result.balance / scale,
        "ProcessDate": result.recorded_written,
        "ErrorMessage": result.error,
    }


def _date(call: Call, result: LineResult) -> str | None:
    return call.value_written if result.recorded_written else None


def main() -> None:
    """Serve the ledger whose URL is given, on a free port."""
    with listen("127.0.0.1", 0) as listener:
        print(f"listens on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)  # noqa: T201
        config = uvicorn.Config(make_app(sys.argv[1]), access_log=False, log_level="warning")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
