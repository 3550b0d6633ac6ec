"""A browser's half of Streamlit's protocol, without the browser: opens pages, presses buttons, follows fragments, times answers.

Speaks the protobuf of the pinned Streamlit (1.67) over its websocket. Draws nothing; of what it is sent it keeps element ids and words.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

RUN_TIMEOUT_S = 120.0
DRAWN = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


@dataclass
class Run:
    """One run of a script or a fragment, seen from outside."""

    latency_s: float
    received_bytes: int
    elements: list[Any]


@dataclass
class Viewer:
    """One browser tab. `words` are all strings of the last run's elements; `timers` the fragments that ask to be run again."""

    url: str
    connection: ClientConnection
    page: str = ""
    page_hash: str = ""
    query: str = ""
    timers: dict[str, float] = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)
    words: str = ""
    exceptions: list[str] = field(default_factory=list)
    on_element: Callable[[Any], None] | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    async def open(cls, port: int) -> Viewer:
        url = f"ws://127.0.0.1:{port}/_stcore/stream"
        connection = await connect(url, subprotocols=["streamlit"], max_size=None, origin=f"http://127.0.0.1:{port}")  # type: ignore[list-item]
        viewer = cls(url, connection)
        await viewer.run()
        return viewer

    async def go(self, page: str, query: str) -> Run:
        """Opens a page by its URL path (`train`), as following a link does."""
        self.page, self.page_hash, self.query, self.timers = page, "", query, {}
        return await self.run()

    async def press(self, key: str) -> Run:
        """Presses the button whose key ends so."""
        identifier = next(known for name, known in self.buttons.items() if name.endswith(key))
        return await self.run(pressed=identifier)

    async def run(self, *, fragment: str = "", pressed: str = "") -> Run:
        """Runs the page, or one of its fragments, and waits until it is drawn."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash = self.query, self.page_hash
        state.page_name = self.page
        state.context_info.locale, state.context_info.timezone = "en", "UTC"
        if fragment:
            state.fragment_id, state.is_auto_rerun = fragment, True
        if pressed:
            trigger = state.widget_states.widgets.add()
            trigger.id, trigger.trigger_value = pressed, True
        async with self._turn:
            began = time.perf_counter()
            await self.connection.send(message.SerializeToString())
            return await asyncio.wait_for(self._until_drawn(began), RUN_TIMEOUT_S)

    async def close(self) -> None:
        await self.connection.close()

    async def _until_drawn(self, began: float) -> Run:
        received, elements = 0, []
        while True:
            data = await self.connection.recv()
            received += len(data)
            message = ForwardMsg()
            message.ParseFromString(data if isinstance(data, bytes) else data.encode())
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.page_hash = message.new_session.page_script_hash
            elif kind == "auto_rerun":
                self.timers[message.auto_rerun.fragment_id] = message.auto_rerun.interval
            elif kind == "stop_auto_rerun":
                self.timers.clear()
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                elements.append(message.delta.new_element)
                self._look_at(message.delta.new_element)
            elif kind == "navigation":
                self.page_hash = message.navigation.page_script_hash or self.page_hash
            elif kind == "script_finished" and message.script_finished in DRAWN:
                self.words = "\n".join(str(element) for element in elements)
                return Run(time.perf_counter() - began, received, elements)

    def _look_at(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        if kind == "button":
            self.buttons[element.button.id] = element.button.id
        elif kind == "exception":
            self.exceptions.append(element.exception.message)
        if self.on_element is not None:
            self.on_element(element)


async def follow(viewer: Viewer, until: Callable[[], bool], *, every_s: float | None = None) -> list[float]:
    """Runs the viewer's fragments on their timers, as a browser does; returns the latency of each run in seconds."""
    latencies: list[float] = []
    next_at = time.perf_counter()
    while not until():
        if not viewer.timers and every_s is None:
            await asyncio.sleep(0.2)
            continue
        for fragment in list(viewer.timers) or [""]:
            latencies.append((await viewer.run(fragment=fragment)).latency_s)
        next_at += every_s or min(viewer.timers.values(), default=1.0)
        await asyncio.sleep(max(0.0, next_at - time.perf_counter()))
    return latencies
