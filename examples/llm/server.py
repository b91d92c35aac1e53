"""A small server that speaks the protocols of OpenAI and Anthropic, streamed and not, so that their own clients can be
tried through `modeltrail proxy` without either: `uvicorn server:app`. It says what it was told, word by word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

VERSION = "echo-2026-11-01"


def words(text: str) -> list[str]:
    first, *rest = text.split(" ")
    return [first, *(" " + word for word in rest)]


def events(said: Iterator[tuple[str | None, Any]]) -> Response:
    def lines() -> Iterator[str]:
        for name, data in said:
            text = data if isinstance(data, str) else json.dumps(data)
            yield (f"event: {name}\n" if name else "") + f"data: {text}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


async def chat(request: Request) -> Response:
    asked = await request.json()
    told = asked["messages"][-1]["content"]
    if told == "fail":
        error = {"message": "the model is overloaded", "type": "server_error", "code": "overloaded", "param": None}
        return JSONResponse({"error": error}, 400)
    head = {"id": "chatcmpl-1", "created": 1790000000, "model": VERSION, "system_fingerprint": "fp_echo"}
    n = len(words(told))
    usage = {"prompt_tokens": n, "completion_tokens": n, "total_tokens": 2 * n}
    if not asked.get("stream"):
        message = {"role": "assistant", "content": told}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return JSONResponse({**head, "object": "chat.completion", "choices": [choice], "usage": usage})

    def chunk(delta: dict[str, Any], reason: str | None = None) -> tuple[None, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        return None, {**head, "object": "chat.completion.chunk", "choices": [choice]}

    def said() -> Iterator[tuple[str | None, Any]]:
        yield chunk({"role": "assistant", "content": ""})
        for word in words(told):
            yield chunk({"content": word})
        yield chunk({}, "stop")
        if (asked.get("stream_options") or {}).get("include_usage"):
            yield None, {**head, "object": "chat.completion.chunk", "choices": [], "usage": usage}
        yield None, "[DONE]"

    return events(said())


async def messages(request: Request) -> Response:
    asked = await request.json()
    told = asked["messages"][-1]["content"]
    n = len(words(told))
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": VERSION, "stop_sequence": None}
    usage = {"input_tokens": n, "output_tokens": n}
    if not asked.get("stream"):
        content = [{"type": "text", "text": told}]
        return JSONResponse({**message, "content": content, "stop_reason": "end_turn", "usage": usage})

    def said() -> Iterator[tuple[str | None, Any]]:
        start = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
        yield "message_start", {"type": "message_start", "message": start}
        block = {"type": "text", "text": ""}
        yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": block}
        for word in words(told):
            delta = {"type": "text_delta", "text": word}
            yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}
        yield "content_block_stop", {"type": "content_block_stop", "index": 0}
        end = {"stop_reason": "end_turn", "stop_sequence": None}
        yield "message_delta", {"type": "message_delta", "delta": end, "usage": {"output_tokens": n}}
        yield "message_stop", {"type": "message_stop"}

    return events(said())


app = Starlette(
    routes=[
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/v1/messages", messages, methods=["POST"]),
    ]
)
