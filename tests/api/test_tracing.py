from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api import tracing
from api.errors import CommandError
from api.logs import log_to
from api.roles import Role
from api.store.database import Database
from tests.api.routes.asking import Api, Ask, new

PARENT = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


@pytest.fixture
def api(prepared_file: Path, tmp_path: Path) -> Iterator[Api]:
    path = tmp_path / "evenhand.db"
    path.write_bytes(prepared_file.read_bytes())
    database = Database(f"sqlite:///{path}")
    yield Api(database)
    database.close()


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    stop = tracing.use(provider)
    yield exporter
    stop()


def named(kept: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [one for one in kept.get_finished_spans() if one.name == name]


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_without_a_receiver_there_are_no_spans_and_nothing_is_loaded(api: Api) -> None:
    with tracing.exported(None, 100.0), tracing.span("turn") as span:
        assert span is None
    assert tracing.ids() == {}
    assert api.ask("GET", "/firm").status_code == 200


def test_a_request_and_its_turn_are_one_trace_that_goes_on_with_the_callers(
    api: Api, kept: InMemorySpanExporter
) -> None:
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    log_to(stream)
    try:
        assert api.ask("POST", "/tasks", new("a"), traceparent=PARENT).status_code == 201
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    (request,) = named(kept, "POST /api/v1/tasks")
    assert request.context is not None
    assert f"{request.context.trace_id:032x}" == "a" * 32
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == "b" * 16
    about = attributes(request)
    assert (about["http.route"], about["http.response.status_code"]) == ("/api/v1/tasks", 201)
    operations = next(
        one for one in named(kept, "operations") if one.parent and one.parent.trace_id == int("a" * 32, 16)
    )
    assert [link.context.span_id for link in operations.links] == [request.context.span_id]
    (turn,) = [one for one in named(kept, "turn") if one.parent and one.parent.span_id == operations.context.span_id]
    assert attributes(turn) == {"evenhand.firm": "one"}
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    (line,) = [one for one in lines if one["event"] == "answered"]
    assert line["trace_id"] == "a" * 32
    assert line["span_id"] == f"{request.context.span_id:016x}"


def test_what_watches_over_the_process_leaves_no_spans_and_refusals_no_messages(
    api: Api, kept: InMemorySpanExporter
) -> None:
    api.send(Ask("GET", "/health"))
    api.send(Ask("GET", "/tasks", None, api.token("one", Role.OWNER) + "x"))
    kept.clear()
    api.send(Ask("GET", "/health"))
    assert kept.get_finished_spans() == ()
    api.ask("PATCH", "/tasks/one-t", {"type": "secret type"}, If_Match="*")
    (request,) = named(kept, "PATCH /api/v1/tasks/{id:path}") or named(kept, "PATCH /api/v1/tasks/{id}")
    assert attributes(request)["http.response.status_code"] == 422
    assert "secret type" not in "".join(one.to_json() for one in kept.get_finished_spans())


def test_a_delivery_and_a_job_have_spans(api: Api, kept: InMemorySpanExporter) -> None:
    api.ask("POST", "/webhooks", {"url": "http://127.0.0.1:9/x", "topics": ["task.*"]})
    api.ask("POST", "/tasks", new("a"))
    api.deliver()
    (delivery,) = named(kept, "delivery")
    assert attributes(delivery)["evenhand.attempt"] == 1
    assert attributes(delivery)["http.response.status_code"] == 0  # nobody listens there
    with pytest.raises(ZeroDivisionError), tracing.span("job", job="solve"):
        _ = 1 / 0
    (job,) = named(kept, "job")
    assert (attributes(job)["evenhand.job"], attributes(job)["error.type"]) == ("solve", "ZeroDivisionError")
    assert not job.status.is_ok
    assert "division" not in job.to_json()


@contextmanager
def receiving() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Have an OTLP receiver on this machine."""
    found: list[ExportTraceServiceRequest] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.headers["content-type"] == "application/x-protobuf"
            import gzip

            plain = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
            found.append(ExportTraceServiceRequest.FromString(plain))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/traces", found
        finally:
            server.shutdown()
            thread.join()


def test_spans_arrive_at_a_receiver_before_the_process_ends(api: Api) -> None:
    with receiving() as (address, found):
        with tracing.exported(address, 100.0):
            api.ask("POST", "/tasks", new("a"))
        with tracing.exported(address, 0.0):
            api.ask("POST", "/tasks", new("b"))
    spans = [
        one for asked in found for some in asked.resource_spans for scope in some.scope_spans for one in scope.spans
    ]
    resource = {one.key: one.value.string_value for one in found[0].resource_spans[0].resource.attributes}
    assert resource["service.name"] == "evenhand"
    assert [one.name for one in spans].count("POST /api/v1/tasks") == 1
    assert "turn" in [one.name for one in spans]


def test_traces_without_their_libraries_are_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(CommandError, match=r"evenhand\[traces\]"), tracing.exported("http://127.0.0.1:9", 100.0):
        pass
