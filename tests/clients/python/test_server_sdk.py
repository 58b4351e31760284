"""Pusher's server library for Python: publishing, asking, signing."""

import asyncio
import base64
import json
import unittest

import nacl.secret
from pusher.errors import PusherBadAuth, PusherBadRequest, PusherForbidden

from harness import APP, Server, receive, subscribe


class ServerSdk(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())
        # The library waits for answers; so it is called in threads.
        cls.backend = cls.server.backend()

    async def client(self):
        return await self.enterAsyncContext(await self.server.client())

    async def call(self, method, *args, **kwargs):
        return await asyncio.to_thread(getattr(self.backend, method), *args, **kwargs)

    async def join(self, socket, channel, data=None):
        auth = self.backend.authenticate(channel, socket.socket_id, data)
        return await subscribe(socket, channel, **auth)

    async def test_triggers_on_one_channel(self):
        socket = await self.client()
        await subscribe(socket, "py-one")
        data = {"text": "grüße 🦀", "n": [1, None]}
        self.assertEqual(await self.call("trigger", "py-one", "news", data), {})
        event = await receive(socket)
        self.assertEqual((event["event"], event["channel"]), ("news", "py-one"))
        self.assertEqual(json.loads(event["data"]), data)

    async def test_triggers_on_many_channels_for_all_but_one(self):
        author, reader = await self.client(), await self.client()
        for socket in (author, reader):
            await subscribe(socket, "py-a")
            await subscribe(socket, "py-b")
        await self.call("trigger", ["py-a", "py-b"], "news", "1", socket_id=author.socket_id)
        await self.call("trigger", "py-a", "news", "2")
        self.assertEqual((await receive(author))["data"], "2")
        received = [await receive(reader) for _ in range(3)]
        self.assertEqual(
            [(event["channel"], event["data"]) for event in received],
            [("py-a", "1"), ("py-b", "1"), ("py-a", "2")])

    async def test_triggers_a_batch(self):
        socket = await self.client()
        await subscribe(socket, "py-batch")
        batch = [{"channel": "py-batch", "name": "news", "data": str(n)} for n in range(10)]
        self.assertEqual(await self.call("trigger_batch", batch), {})
        received = [(await receive(socket))["data"] for _ in batch]
        self.assertEqual(received, [str(n) for n in range(10)])

    async def test_signs_private_and_presence_subscriptions(self):
        socket = await self.client()
        self.assertEqual(await self.join(socket, "private-py"), {})
        member = {"user_id": "1", "user_info": {"name": "Ünal"}}
        presence = await self.join(socket, "presence-py", member)
        hash_ = {"1": {"name": "Ünal"}}
        self.assertEqual(presence, {"presence": {"count": 1, "ids": ["1"], "hash": hash_}})

    async def test_encrypts(self):
        socket = await self.client()
        channel = "private-encrypted-py"
        auth = self.backend.authenticate(channel, socket.socket_id)
        box = nacl.secret.SecretBox(base64.b64decode(auth.pop("shared_secret")))
        await subscribe(socket, channel, **auth)
        await self.call("trigger", channel, "news", {"secret": 1})
        sealed = json.loads((await receive(socket))["data"])
        ciphertext, nonce = (base64.b64decode(sealed[key]) for key in ("ciphertext", "nonce"))
        self.assertEqual(json.loads(box.decrypt(ciphertext, nonce)), {"secret": 1})

    async def test_signs_users_in_and_sends_to_them(self):
        socket = await self.client()
        auth = self.backend.authenticate_user(socket.socket_id, {"id": "py-user"})
        await socket.send(json.dumps({"event": "pusher:signin", "data": auth}))
        self.assertEqual((await receive(socket))["event"], "pusher:signin_success")
        await self.call("send_to_user", "py-user", "mail", {"n": 1})
        mail = await receive(socket)
        self.assertEqual((mail["event"], mail["data"]), ("mail", '{"n": 1}'))

    async def test_asks_about_channels(self):
        sockets = [await self.client() for _ in range(2)]
        for number, socket in enumerate(sockets):
            await self.join(socket, "presence-py-ask", {"user_id": str(number)})
            await subscribe(socket, "py-ask")
        channels = await self.call("channels_info", "presence-py-ask", ["user_count"])
        self.assertEqual(channels, {"channels": {"presence-py-ask": {"user_count": 2}}})
        channel = await self.call("channel_info", "py-ask", ["subscription_count"])
        self.assertEqual(channel, {"occupied": True, "subscription_count": 2})
        users = await self.call("users_info", "presence-py-ask")
        self.assertEqual(sorted(user["id"] for user in users["users"]), ["0", "1"])
        nobody = await self.call("channels_info", "presence-py-nobody")
        self.assertEqual(nobody, {"channels": {}})

    async def test_is_told_what_is_wrong(self):
        with self.assertRaisesRegex(PusherBadRequest, "presence"):
            await self.call("users_info", "py-public")
        with self.assertRaisesRegex(PusherBadRequest, "pusher"):
            await self.call("trigger", "py-a", "pusher:error", "")
        stranger = type(self.backend)(
            **{**APP, "secret": "wrong"}, host="127.0.0.1", port=self.server.port, ssl=False)
        with self.assertRaisesRegex(PusherBadAuth, "(?i)signature"):
            await asyncio.to_thread(stranger.trigger, "py-a", "news", "")

    async def test_is_told_that_the_app_is_disabled(self):
        with Server(DEFAULT_APP_ENABLED="false") as disabled:
            with self.assertRaises(PusherForbidden):
                await asyncio.to_thread(disabled.backend().trigger, "py-a", "news", "")
