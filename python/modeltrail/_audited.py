"""`@audited`: every call of a function is a record."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, TypeVar

from modeltrail import _native
from modeltrail._capture import Call, Gathered

F = TypeVar("F", bound=Callable[..., Any])


class _Plan:
    """How calls of one function are recorded."""

    def __init__(
        self,
        function: Callable[..., Any],
        model: tuple[str, str],
        audit: _native.AuditLogger | None,
        take_input: Callable[..., Any] | None,
        fields: dict[str, Any],
    ) -> None:
        self._model = model
        self._audit = audit
        self._take_input = take_input
        self._fields = fields
        self._signature = inspect.signature(function)
        names = list(self._signature.parameters)
        # An object that a method belongs to is no input.
        self._bound_to = names[0] if names and names[0] in ("self", "cls") else None

    def call(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Call:
        return Call(
            self._audit, self._model, self._input(arguments, keywords), self._settled(arguments, keywords)
        )

    def _input(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if self._take_input is not None:
            return self._take_input(*arguments, **keywords)
        try:
            bound = self._signature.bind(*arguments, **keywords)
        except TypeError:
            # The call will fail, and say why; what it was given is recorded as it came.
            return {"args": arguments, "kwargs": keywords}
        bound.apply_defaults()
        return {name: value for name, value in bound.arguments.items() if name != self._bound_to}

    def _settled(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value(*arguments, **keywords) if callable(value) else value
            for name, value in self._fields.items()
        }


def audited(
    model_name: str,
    model_version: str,
    *,
    audit: _native.AuditLogger | None = None,
    input_data: Callable[..., Any] | None = None,
    **fields: Any,
) -> Callable[[F], F]:
    """Records each call of a function, method, coroutine function or (async) generator function.

    The input is the call's arguments by name, or what `input_data(*args, **kwargs)` gives. `fields` are those of
    `log`; one that is callable is called with the call's arguments. Outputs of a generator are gathered up to 4 MiB,
    pieces of text joined; a generator that nobody starts is no prediction. Failures are recorded and raised again.
    """

    def decorate(function: F) -> F:
        plan = _Plan(function, (model_name, model_version), audit, input_data, fields)
        if inspect.isasyncgenfunction(function):
            wrapper = _of_async_generator(function, plan)
        elif inspect.isgeneratorfunction(function):
            wrapper = _of_generator(function, plan)
        elif inspect.iscoroutinefunction(function):
            wrapper = _of_coroutine(function, plan)
        else:
            wrapper = _of_function(function, plan)
        return functools.wraps(function)(wrapper)  # type: ignore[return-value]

    return decorate


def _of_function(function: Callable[..., Any], plan: _Plan) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = plan.call(args, kwargs)
        try:
            output = function(*args, **kwargs)
        except BaseException as error:
            call.failed(error)
            raise
        call.done(output)
        return output

    return wrapper


def _of_coroutine(function: Callable[..., Any], plan: _Plan) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = plan.call(args, kwargs)
        try:
            output = await function(*args, **kwargs)
        except BaseException as error:
            call.failed(error)
            raise
        call.done(output)
        return output

    return wrapper


def _of_generator(function: Callable[..., Any], plan: _Plan) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        call = plan.call(args, kwargs)
        gathered = Gathered()
        inner: Generator[Any, Any, Any] = function(*args, **kwargs)
        step: Callable[[], Any] = functools.partial(next, inner)
        while True:
            try:
                item = step()
            except StopIteration as stop:
                call.done(gathered.value())
                return stop.value
            except BaseException as error:
                call.failed(error, gathered.value())
                raise
            gathered.add(item)
            try:
                sent = yield item
            except GeneratorExit:
                try:
                    inner.close()
                finally:
                    call.closed_early(gathered)
                raise
            except BaseException as thrown:
                step = functools.partial(inner.throw, thrown)
            else:
                step = functools.partial(inner.send, sent)

    return wrapper


def _of_async_generator(function: Callable[..., Any], plan: _Plan) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        call = plan.call(args, kwargs)
        gathered = Gathered()
        inner: AsyncGenerator[Any, Any] = function(*args, **kwargs)
        step: Callable[[], Any] = inner.__anext__
        while True:
            try:
                item = await step()
            except StopAsyncIteration:
                call.done(gathered.value())
                return
            except BaseException as error:
                call.failed(error, gathered.value())
                raise
            gathered.add(item)
            try:
                sent = yield item
            except GeneratorExit:
                try:
                    await inner.aclose()
                finally:
                    call.closed_early(gathered)
                raise
            except BaseException as thrown:
                step = functools.partial(inner.athrow, thrown)
            else:
                step = functools.partial(inner.asend, sent)

    return wrapper
