"""Traces (OpenTelemetry), where somebody asks for them: spans of requests, turns, jobs, solves and deliveries, sent on by OTLP over HTTP.

Nothing of it is loaded, and a span is nothing, until `exported` begins. Spans hold ids and figures: no names, no messages of errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import version
from typing import TYPE_CHECKING

from api.errors import CommandError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, SpanContext, Tracer

TIMEOUT_S = 5
"""That one attempt to send spans may take; beside the requests, and at the end of the process."""
_tracer: Tracer | None = None


@contextmanager
def exported(address: str | None, share_pct: float) -> Iterator[None]:
    """Send spans to an address while the block lasts; nothing happens without one.

    Parameters
    ----------
    address
        Of an OTLP receiver over HTTP, such as ``http://127.0.0.1:4318/v1/traces``. Headers it asks for, such as a token, are read
        from ``OTEL_EXPORTER_OTLP_HEADERS``.
    share_pct
        Of traces that begin here; one that begins elsewhere is followed as whoever began it says.

    Raises
    ------
    CommandError
        The libraries are not installed.
    """
    if address is None:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError as error:
        message = 'asks for traces, and their libraries are not installed. Maybe run: pip install "evenhand[traces]"'
        raise CommandError("traces_not_installed", message, field="traces_to", value=address) from error
    resource = Resource.create({"service.name": "evenhand", "service.version": version("evenhand")})
    provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(share_pct / 100)))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address, timeout=TIMEOUT_S)))
    stop = use(provider)
    try:
        yield
    finally:
        stop()


def use(provider: TracerProvider) -> Callable[[], None]:
    """Let spans go to a provider; return what ends that, after what is left was sent."""
    global _tracer  # one process is one source of spans
    _tracer = provider.get_tracer("evenhand", version("evenhand"))

    def stop() -> None:
        global _tracer
        _tracer = None
        provider.shutdown()

    return stop


def span(name: str, **attributes: str | int | float) -> AbstractContextManager[Span | None]:
    """Have a span while the block lasts, within the one that is open here; nothing where traces are off.

    Parameters
    ----------
    attributes
        By name; ``evenhand.`` is put before each.
    """
    if _tracer is None:
        return nullcontext()
    return _span(_tracer, name, attributes)


def done_for(span: Span | None, others: Sequence[SpanContext | None]) -> None:
    """Say which spans a span is done for, and how many ask for it, once that is known."""
    if span is None:
        return
    span.set_attribute("evenhand.count", len(others))
    for other in others:
        if other is not None:
            span.add_link(other)


def requested(name: str, headers: Mapping[str, str]) -> AbstractContextManager[Span | None]:
    """Have the span of a request while the block lasts; it goes on with the trace of whoever sent ``traceparent``."""
    if _tracer is None:
        return nullcontext()
    return _requested(_tracer, name, headers)


def answered(span: Span | None, name: str, status: int, attributes: Mapping[str, str]) -> None:
    """Say what a request was, and how it was answered."""
    if span is None:
        return
    from opentelemetry.trace import StatusCode

    span.update_name(name)
    span.set_attributes({**attributes, "http.response.status_code": status})
    if status >= 500:
        span.set_status(StatusCode.ERROR)


def here() -> SpanContext | None:
    """Return what names the span that is open here, if any."""
    if _tracer is None:
        return None
    from opentelemetry.trace import get_current_span

    found = get_current_span().get_span_context()
    return found if found.is_valid else None


def ids() -> dict[str, str]:
    """Return the ids of the trace and the span that are open here, as the log has them; nothing without any."""
    found = here()
    return {} if found is None else {"trace_id": f"{found.trace_id:032x}", "span_id": f"{found.span_id:016x}"}


@contextmanager
def _span(tracer: Tracer, name: str, attributes: Mapping[str, str | int | float]) -> Iterator[Span]:
    named = {f"evenhand.{key}": value for key, value in attributes.items()}
    with (
        tracer.start_as_current_span(
            name, attributes=named, record_exception=False, set_status_on_exception=False
        ) as span,
        _failing(span),
    ):
        yield span


@contextmanager
def _requested(tracer: Tracer, name: str, headers: Mapping[str, str]) -> Iterator[Span]:
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract(dict(headers))
    with (
        tracer.start_as_current_span(
            name, context=context, kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span,
        _failing(span),
    ):
        yield span


@contextmanager
def _failing(span: Span) -> Iterator[None]:
    """Note that an error left a span: its kind, as messages may hold names."""
    from opentelemetry.trace import StatusCode

    try:
        yield
    except BaseException as error:
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(StatusCode.ERROR)
        raise
