"""`@audit_endpoint`: every call of a FastAPI or Starlette endpoint is a record."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from modeltrail import _native
from modeltrail._capture import Call, Gathered, freeze

F = TypeVar("F", bound=Callable[..., Any])

# The parameter through which FastAPI hands over a request that the endpoint itself does not take.
_HIDDEN = "modeltrail_request"


def audit_endpoint(
    model_name: str,
    model_version: str,
    *,
    audit: _native.AuditLogger | None = None,
    user_header: str = "X-User-ID",
) -> Callable[[F], F]:
    """Records each call of an endpoint that takes a `Request`, a Pydantic body, or both; sync or async.

    The input is the request's body as it was sent; of a request without one, its path and query parameters. The
    user is what `user_header` says, else `anonymous`; the metadata are `ip` and `endpoint`. Failures are recorded and
    raised again. Put it below `@app.post(…)`. What the framework refuses before it calls the endpoint is not recorded.
    """

    def decorate(function: F) -> F:
        from starlette.concurrency import run_in_threadpool
        from starlette.requests import Request

        signature = _resolved(function)
        own = _request_parameter(signature, Request)
        is_async = inspect.iscoroutinefunction(function)

        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            request = kwargs.get(own) if own is not None else kwargs.pop(_HIDDEN, None)
            if request is None:
                request = next((one for one in args if isinstance(one, Request)), None)
            call = await _begin(request, kwargs, (model_name, model_version), audit, user_header)
            try:
                if is_async:
                    result = await function(*args, **kwargs)
                else:
                    result = await run_in_threadpool(function, *args, **kwargs)
            except BaseException as error:
                call.failed(error)
                raise
            call.stop_clock()
            return _finish(call, result)

        if own is None:
            hidden = inspect.Parameter(_HIDDEN, inspect.Parameter.KEYWORD_ONLY, annotation=Request)
            signature = _with(signature, hidden)
        setattr(wrapper, "__signature__", signature)
        return wrapper  # type: ignore[return-value]

    return decorate


def _resolved(function: Callable[..., Any]) -> inspect.Signature:
    """The signature with annotations that are no texts, since those of the endpoint's module mean nothing here."""
    signature = inspect.signature(function)
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception:
        return signature
    parameters = [
        parameter.replace(annotation=hints.get(name, parameter.annotation))
        for name, parameter in signature.parameters.items()
    ]
    returns = hints.get("return", signature.return_annotation)
    return signature.replace(parameters=parameters, return_annotation=returns)


def _request_parameter(signature: inspect.Signature, request_type: type[Any]) -> str | None:
    for name, parameter in signature.parameters.items():
        kind = parameter.annotation
        if isinstance(kind, type) and issubclass(kind, request_type):
            return name
        if name == "request" and kind is inspect.Parameter.empty:
            return name
    return None


def _with(signature: inspect.Signature, hidden: inspect.Parameter) -> inspect.Signature:
    parameters = list(signature.parameters.values())
    ends = [n for n, one in enumerate(parameters) if one.kind is inspect.Parameter.VAR_KEYWORD]
    parameters.insert(ends[0] if ends else len(parameters), hidden)
    return signature.replace(parameters=parameters)


async def _begin(
    request: Any,
    kwargs: dict[str, Any],
    model: tuple[str, str],
    audit: _native.AuditLogger | None,
    user_header: str,
) -> Call:
    if request is None:
        return Call(audit, model, kwargs, {"user_id": "anonymous"})
    fields = {
        "user_id": request.headers.get(user_header) or "anonymous",
        "metadata": {
            "ip": request.client.host if request.client else None,
            "endpoint": str(request.url.path),
        },
    }
    return Call(audit, model, await _input(request, kwargs), fields)


async def _input(request: Any, kwargs: dict[str, Any]) -> Any:
    try:
        body = await request.body()
    except RuntimeError:
        # The framework has read it as a form, piece by piece.
        return {name: value for name, value in kwargs.items() if value is not request}
    if not body:
        return {**request.path_params, **dict(request.query_params)}
    return _frozen_body(body, request.headers.get("content-type"))


def _frozen_body(body: bytes, media_type: str | None) -> _native.Frozen:
    """JSON as it was sent, digit by digit; anything else as bytes of their type."""
    media_type = (media_type or "application/json").split(";")[0].strip()
    try:
        return _native.freeze_json(body)
    except ValueError:
        return _native.freeze_bytes(body, media_type)


def _finish(call: Call, result: Any) -> Any:
    """Records a result; that of a stream at its end."""
    status_code = getattr(result, "status_code", None)
    if status_code is None:
        call.done(result)
        return result
    fields: dict[str, Any] = {}
    if status_code >= 400:
        fields = {"status": "failure", "error": (f"http_{status_code}", "")}
    iterator = getattr(result, "body_iterator", None)
    if iterator is not None:
        result.body_iterator = _recorded(call, iterator, fields)
        return result
    body = getattr(result, "body", None)
    if isinstance(body, (bytes, memoryview)):
        call.done(_frozen_body(bytes(body), getattr(result, "media_type", None)), **fields)
    else:
        call.done(freeze(result), **fields)
    return result


async def _recorded(call: Call, iterator: Any, fields: dict[str, Any]) -> AsyncIterator[Any]:
    gathered = Gathered()
    try:
        async for piece in iterator:
            gathered.add(piece)
            yield piece
    except GeneratorExit:
        call.closed_early(gathered)
        raise
    except BaseException as error:
        call.failed(error, gathered.value())
        raise
    call.done(gathered.value(), **fields)
