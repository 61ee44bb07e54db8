"""A running connector: takes requests to the four endpoints, and tells log and metrics what became of each."""

from __future__ import annotations

from functools import partial

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from bi_mcp.connector.access.access import Access
from bi_mcp.connector.refusal import RefusalError
from bi_mcp.connector.service.bodies import Bodies
from bi_mcp.connector.service.metrics import Metrics
from bi_mcp.connector.service.questions import QUESTIONS, Ask, ask, begin_rows
from bi_mcp.connector.service.reading import Reading
from bi_mcp.connector.service.record import RequestRecord
from bi_mcp.connector.service.settings import ServiceSettings
from bi_mcp.connector.service.slots import RETRY_AFTER_S, STOPPING, BusyError, Slots, SourceSlots
from bi_mcp.connector.service.transfer import GONE, EndedError, Transfers

_CALLER_GONE = 499


class BrokenAnswerError(Exception):
    """An answer broke off. Raised to the server, which then ends the connection and not the answer."""


class Service:
    """The connector's state. `stopping` refuses new requests, `break_off` ends those that run."""

    def __init__(self, access: Access, settings: ServiceSettings) -> None:
        self.access = access
        self.settings = settings
        self.stopping = False
        self._bodies = Bodies(settings.body_bytes, settings.bodies_bytes)
        # Apart from each other: while long answers run, a source must still be found alive.
        self._answers = Slots(settings.answers)
        self._questions = Slots(settings.answers)
        self._of_sources = SourceSlots()
        self._transfers = Transfers(settings.answer_seconds, settings.part_seconds)
        self.metrics = Metrics(lambda: self._answers.taken)

    def break_off(self) -> None:
        self.stopping = True
        self._transfers.break_off()
        self._questions.break_off()
        self._answers.break_off()

    async def serve(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to one of the four endpoints. Raises BrokenAnswerError if the answer broke off."""
        client = scope.get("client")
        record = RequestRecord(path, client[0] if client else "")
        reply = _Reply(send, record)
        try:
            await self._answer(path, Request(scope, receive), reply, record)
        except ClientDisconnect:
            record.note_broken(GONE)
        except EndedError as error:
            record.note_broken(str(error))
            if str(error) != GONE:
                await self._refuse(BusyError(503, f"There is no answer: {error}."), scope, receive, reply)
        except RefusalError as error:
            record.note_refusal(error)
            await self._refuse(error, scope, receive, reply)
        except Exception as error:  # noqa: BLE001  whatever it was, it belongs into the log, and not to the caller
            record.note_fault(error)
            failed = RefusalError(500, "The connector failed. Its log says more.")
            await self._refuse(failed, scope, receive, reply)
        finally:
            self._finish(record, reply)
        if reply.open:
            raise BrokenAnswerError(record.reason) from None

    async def _answer(self, path: str, request: Request, reply: _Reply, record: RequestRecord) -> None:
        if self.stopping:
            raise BusyError(503, STOPPING)
        question = QUESTIONS.get(path)
        async with self._bodies.read(request) as body:
            if question is None:
                await self._answer_rows(body, request.receive, reply, record)
                return
            answer = await self._ask(question, body, record)
        await Response(answer, media_type="application/json")(request.scope, request.receive, reply.send)

    async def _ask(self, question: Ask, body: bytes, record: RequestRecord) -> bytes:
        with self._questions.take():
            asked = partial(ask, question, self.access, body, record)
            return await self._questions.run_within(self.settings.question_seconds, asked, lambda _: None)

    async def _answer_rows(self, body: bytes, receive: Receive, reply: _Reply, record: RequestRecord) -> None:
        slots = self._answers
        with slots.take():
            begin = partial(begin_rows, self.access, self._of_sources, body, record)
            reading = await slots.run_within(self.settings.question_seconds, begin, Reading.close)
            record.columns = reading.columns
            try:
                await self._transfers.transfer(reading, slots.run, receive, reply.send)
            finally:
                record.rows = reading.rows

    async def _refuse(self, error: RefusalError, scope: Scope, receive: Receive, reply: _Reply) -> None:
        if reply.open:
            return
        headers = {"Retry-After": str(RETRY_AFTER_S)} if isinstance(error, BusyError) else None
        response = JSONResponse({"error": str(error)}, error.status, headers)
        await response(scope, receive, reply.send)

    def _finish(self, record: RequestRecord, reply: _Reply) -> None:
        record.broken = record.broken or reply.open
        if not reply.begun and record.broken:
            record.status = _CALLER_GONE
        record.write()
        self.metrics.count(record)


class _Reply:
    """The way back to the caller; counts what goes along it. `open`: an answer was begun and not ended."""

    def __init__(self, send: Send, record: RequestRecord) -> None:
        self._send = send
        self._record = record
        self.begun = False
        self.open = False

    async def send(self, message: Message) -> None:
        await self._send(message)
        if message["type"] == "http.response.start":
            self.begun = self.open = True
            self._record.status = message["status"]
        else:
            self._record.bytes += len(message.get("body", b""))
            self.open = bool(message.get("more_body"))
