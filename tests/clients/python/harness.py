"""Starts the server under test: a process of its own on a port that the system chooses."""

import asyncio
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import pusher
from websockets.asyncio.client import connect

# The library takes no app id but a number.
APP = {"app_id": "1001", "key": "clients-key", "secret": "clients-secret"}
# How long anything may take, in seconds.
GUARD = 30
DEFAULT = Path(__file__).parents[3] / "target/debug/dunlin"


class Server:
    """A context manager; `options` are environment variables."""

    def __init__(self, **options):
        self.options = options

    def __enter__(self):
        # Its working folder is an empty one: it reads a `.env` from there.
        self.folder = tempfile.TemporaryDirectory(prefix="dunlin-clients-")
        self.log = open(Path(self.folder.name) / "stderr", "w+")
        env = {
            "HOST": "127.0.0.1",
            "PORT": "0",
            "DEFAULT_APP_ID": APP["app_id"],
            "DEFAULT_APP_KEY": APP["key"],
            "DEFAULT_APP_SECRET": APP["secret"],
            "DEFAULT_APP_ENABLE_CLIENT_MESSAGES": "true",
            "SHUTDOWN_GRACE_PERIOD": "500",
            **self.options,
        }
        binary = os.environ.get("DUNLIN_BIN", DEFAULT)
        self.process = subprocess.Popen(
            [binary, "start"], env=env, cwd=self.folder.name, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log)
        for line in self.process.stdout:
            if found := re.search(r"listening\s+https?://[^\s:]+:(\d+)", line):
                self.port = int(found[1])
                return self
        self.__exit__()
        raise RuntimeError(f"{binary} did not start")

    def __exit__(self, *_):
        self.process.terminate()
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        self.log.seek(0)
        said = [line for line in self.log if " INFO " not in line]
        self.log.close()
        self.folder.cleanup()
        if said:
            print("what the server said:", *said, sep="\n")
        assert code == 0, f"the server ended with code {code}"
        assert not any("panic" in line for line in said), "the server panicked"

    def backend(self):
        """The application's backend: Pusher's server library."""
        return pusher.Pusher(
            host="127.0.0.1", port=self.port, ssl=False,
            encryption_master_key_base64="BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", **APP)

    async def client(self, protocol=7, **options):
        """A WebSocket that has been told its socket id: `socket.socket_id`."""
        url = f"ws://127.0.0.1:{self.port}/app/{APP['key']}?protocol={protocol}"
        socket = await connect(url, proxy=None, **options)
        established = await receive(socket)
        assert established["event"] == "pusher:connection_established", established
        socket.socket_id = json.loads(established["data"])["socket_id"]
        return socket


async def receive(socket):
    return json.loads(await asyncio.wait_for(socket.recv(), GUARD))


async def subscribe(socket, channel, **auth):
    """Subscribes, and returns the answer's data."""
    message = {"event": "pusher:subscribe", "data": {"channel": channel, **auth}}
    await socket.send(json.dumps(message))
    succeeded = await receive(socket)
    assert succeeded["event"] == "pusher_internal:subscription_succeeded", succeeded
    assert succeeded["channel"] == channel
    return json.loads(succeeded["data"])
