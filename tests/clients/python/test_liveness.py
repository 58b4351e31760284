"""Clients that never send `pusher:pong`, or any text, idle past the limits (W10, W11).

Swift and .NET clients send control pings only; Java clients of protocol 5 say nothing for two
minutes, while their WebSocket answers control pings. All of them must stay. Who answers nothing
must go.
"""

import asyncio
import base64
import os
import unittest

from harness import APP, Server, subscribe

# The server probes after activity timeout + 30 s of silence; then it waits for the pong timeout.
TIMEOUTS = {"ACTIVITY_TIMEOUT": "1", "PONG_TIMEOUT": "1"}
GUARD = 90


async def beat(socket, times=None):
    """Sends a control ping every second, for ever or so many times."""
    while times is None or times > 0:
        await (await socket.ping())
        await asyncio.sleep(1)
        times = times and times - 1


async def deaf(server):
    """Answers nothing. Returns the code that it is closed with, and why."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /app/{APP['key']}?protocol=7 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        .encode())
    await reader.readuntil(b"\r\n\r\n")
    probes = 0
    while True:
        first, length = await reader.readexactly(2)
        if length == 126:
            length = int.from_bytes(await reader.readexactly(2), "big")
        payload = await reader.readexactly(length)
        probes += first == 0x89
        if first == 0x88:
            writer.close()
            return probes, int.from_bytes(payload[:2], "big"), payload[2:].decode()


class Liveness(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(**TIMEOUTS))

    async def test_only_who_answers_nothing_is_closed(self):
        async with asyncio.timeout(GUARD):
            # Java's client: its library answers control pings, it sends no text itself.
            silent = await self.server.client(protocol=5, ping_interval=None)
            # The .NET client: a control ping every second, and nothing else.
            pinging = await self.server.client(ping_interval=None)
            # The deaf one comes some beats later than they: when it has to go, they would have
            # had to go before.
            await beat(pinging, times=3)
            beating = asyncio.create_task(beat(pinging))
            probes, code, reason = await deaf(self.server)
            self.assertEqual((probes, code), (1, 4201), reason)

            self.assertFalse(beating.done(), "the client that pings was closed")
            beating.cancel()
            for socket in (silent, pinging):
                self.assertEqual(await subscribe(socket, "still-here"), {})
                await socket.close()
