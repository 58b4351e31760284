// Connections that break, and how pusher-js notices (W8, W9).

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { backend, channelName, client, subscribe } from '../support/clients.js';
import { startProxy } from '../support/proxy.js';
import { startServer } from '../support/server.js';
import { listen, state } from '../support/waiting.js';

let server;

describe('pusher-js/liveness', { concurrency: true }, async () => {
  server = await startServer({ after }, { ACTIVITY_TIMEOUT: '1' });

  describe('a pusher-js connection', { concurrency: true }, () => {
    test('pings when it hears nothing for the activity timeout, and stays', async (t) => {
      const pusher = client(t, server);
      const messages = listen(pusher.connection, 'message');
      await state(pusher, 'connected');
      const socket = pusher.connection.socket_id;
      for (let pongs = 0; pongs < 2; pongs += 1) {
        assert.equal((await messages.next()).event, 'pusher:pong');
      }
      assert.equal(pusher.connection.state, 'connected');
      assert.equal(pusher.connection.socket_id, socket);
    });

    test('reconnects and resubscribes when its ping is not answered', async (t) => {
      const proxy = await startProxy(t, server.port);
      const pusher = client(t, proxy, { pongTimeout: 300 });
      const name = channelName('private-');
      const channel = await subscribe(pusher, name);
      const socket = pusher.connection.socket_id;
      const [again, news] = [
        listen(channel, 'pusher:subscription_succeeded'),
        listen(channel, 'news'),
      ];
      proxy.silence();
      await again.next();
      assert.notEqual(pusher.connection.socket_id, socket);
      await backend(server).trigger(name, 'news', 'heard');
      assert.equal(await news.next(), 'heard');
    });

    test('subscribes to everything and signs in again after a cut', async (t) => {
      const proxy = await startProxy(t, server.port);
      const user = { id: 'traveller' };
      const pusher = client(t, proxy, { member: { user_id: 'traveller' }, user });
      const names = ['', 'private-', 'private-encrypted-', 'presence-', 'cache-'].map(channelName);
      const channels = await Promise.all(names.map((name) => subscribe(pusher, name)));
      pusher.signin();
      await pusher.user.signinDonePromise;
      const socket = pusher.connection.socket_id;

      const again = channels.map((channel) => listen(channel, 'pusher:subscription_succeeded'));
      const signedIn = listen(pusher.connection, 'message');
      proxy.cut();
      await Promise.all(again.map((inbox) => inbox.next()));
      await signedIn.nextWhere(({ event }) => event === 'pusher:signin_success');
      assert.notEqual(pusher.connection.socket_id, socket);

      const news = channels.map((channel) => listen(channel, 'news'));
      const mail = listen(pusher.user, 'mail');
      await Promise.all(names.map((name) => backend(server).trigger(name, 'news', { to: name })));
      for (const [index, name] of names.entries()) {
        assert.deepEqual(await news[index].next(), { to: name });
      }
      await backend(server).sendToUser(user.id, 'mail', { subject: 'welcome back' });
      assert.deepEqual(await mail.next(), { subject: 'welcome back' });
    });
  });
});
