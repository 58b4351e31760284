"""Webhooks, as Pusher's server library for Python takes them in."""

import asyncio
import json
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import APP, GUARD, Server


class Target(ThreadingHTTPServer):
    """Keeps what it is told; a context manager."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.received, self.some = [], threading.Condition()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def webhooks(self, *event_types):
        url = f"http://127.0.0.1:{self.server_port}/hook"
        return json.dumps([{"url": url, "event_types": event_types}])

    def wait_for(self, count):
        with self.some:
            self.some.wait_for(lambda: len(self.received) >= count, timeout=GUARD)
            return list(self.received)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with self.server.some:
            self.server.received.append((self.headers, body))
            self.server.some.notify_all()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Webhooks(unittest.TestCase):
    def test_that_the_library_accepts_them(self):
        with Target() as target, Server(
            DEFAULT_APP_WEBHOOKS=target.webhooks("channel_occupied", "channel_vacated"),
            WEBHOOKS_GRACE="0",
        ) as server:

            async def visit():
                async with await server.client() as socket:
                    subscribe = {"event": "pusher:subscribe", "data": {"channel": "visited"}}
                    await socket.send(json.dumps(subscribe))
                    await socket.recv()

            asyncio.run(visit())
            received = target.wait_for(2)
            names = []
            for headers, body in received:
                webhook = server.backend().validate_webhook(
                    headers["X-Pusher-Key"], headers["X-Pusher-Signature"], body)
                self.assertIsNotNone(webhook, body)
                names += [event["name"] for event in webhook["events"]]
            self.assertEqual(names, ["channel_occupied", "channel_vacated"])
            self.assertEqual(APP["key"], received[0][0]["X-Pusher-Key"])
