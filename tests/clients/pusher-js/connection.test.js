// The states of a pusher-js connection: what it does on each code it is closed with (W14), and
// when there is no server.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { backend, channelName, client, subscribe } from '../support/clients.js';
import { startProxy } from '../support/proxy.js';
import { startServer } from '../support/server.js';
import { listen, pause, state } from '../support/waiting.js';

let server;

/** The code in an `error` of a connection, which pusher-js wraps in two ways. */
function codeOf({ data, error }) {
  return (data ?? error.data).code;
}

describe('pusher-js/connection', { concurrency: true }, async () => {
  server = await startServer({ after });

  describe('a pusher-js connection', { concurrency: true }, () => {
    test('connects and has a socket id that every SDK accepts', async (t) => {
      const pusher = client(t, server);
      const states = listen(pusher.connection, 'state_change');
      await state(pusher, 'connected');
      assert.deepEqual(await states.next(), { previous: 'connecting', current: 'connected' });
      assert.match(pusher.connection.socket_id, /^\d+\.\d+$/);
    });

    test('connects with all its transports enabled', async (t) => {
      const pusher = client(t, server, { enabledTransports: undefined });
      await state(pusher, 'connected');
    });

    test('connects below a path prefix', async (t) => {
      const prefixed = await startServer(t, { PATH_PREFIX: '/realtime' });
      const pusher = client(t, prefixed, { wsPath: '/realtime' });
      await state(pusher, 'connected');
    });

    test('is unavailable without a server, and connects when there is one', async (t) => {
      const gone = await startServer(t);
      const proxy = await startProxy(t, gone.port);
      await gone.kill();
      const pusher = client(t, proxy, { unavailableTimeout: 200 });
      await state(pusher, 'unavailable');
      proxy.target = server.port;
      await state(pusher, 'connected');
    });

    test('becomes unavailable when the server goes away, and resubscribes at the next', async (t) => {
      const gone = await startServer(t);
      const proxy = await startProxy(t, gone.port);
      const pusher = client(t, proxy, { unavailableTimeout: 200 });
      const name = channelName('private-');
      const channel = await subscribe(pusher, name);
      const [again, news] = [
        listen(channel, 'pusher:subscription_succeeded'),
        listen(channel, 'news'),
      ];
      await gone.kill();
      await state(pusher, 'unavailable');
      proxy.target = server.port;
      await again.next();
      await backend(server).trigger(name, 'news', 'after the crash');
      assert.equal(await news.next(), 'after the crash');
    });
  });

  describe('a pusher-js connection that is refused', { concurrency: true }, () => {
    const refusals = [
      { code: 4001, why: 'the key is unknown', key: 'nobody' },
      { code: 4003, why: 'the app is disabled', options: { DEFAULT_APP_ENABLED: 'false' } },
      {
        code: 4004,
        why: 'the app has all its connections',
        options: { DEFAULT_APP_MAX_CONNS: '0' },
      },
      {
        code: 4009,
        why: 'it has not shown in time that it may be here',
        options: { DEFAULT_APP_USER_AUTHENTICATION: 'true', USER_AUTHENTICATION_TIMEOUT: '1000' },
      },
    ];
    for (const { code, why, key, options } of refusals) {
      test(`gives up with ${code} when ${why}`, async (t) => {
        const refusing = options ? await startServer(t, options) : server;
        const proxy = await startProxy(t, refusing.port);
        const pusher = client(t, proxy, { key });
        const errors = listen(pusher.connection, 'error');
        await state(pusher, 'disconnected');
        assert.equal(codeOf(await errors.next()), code);
        // Longer than pusher-js's pause before it tries again.
        await pause(1_500);
        assert.equal(pusher.connection.state, 'disconnected');
        assert.equal(proxy.accepted, 1);
      });
    }

    test('gives up with 4004 only while the app has all its connections', async (t) => {
      const small = await startServer(t, { DEFAULT_APP_MAX_CONNS: '1' });
      const first = client(t, small);
      await state(first, 'connected');
      const second = client(t, small);
      await state(second, 'disconnected');
      first.disconnect();
      // The seat is free when the server has seen the first one leave.
      do second.connect();
      while ((await state(second, 'connected', 'disconnected')) !== 'connected');
    });

    test("gives up with 4009 when the backend ends its user's connections", async (t) => {
      const proxy = await startProxy(t, server.port);
      const pusher = client(t, proxy, { user: { id: 'terminated' } });
      pusher.signin();
      await state(pusher, 'connected');
      await pusher.user.signinDonePromise;
      const errors = listen(pusher.connection, 'error');
      await backend(server).terminateUserConnections('terminated');
      await state(pusher, 'disconnected');
      assert.equal(codeOf(await errors.next()), 4009);
      assert.equal(proxy.accepted, 1);
    });

    test('tries again after a second with 4100, when the server is full', async (t) => {
      // 48 descriptors are the server's own; one is left for a WebSocket.
      const full = await startServer(t, { FD_RESERVE: '207', SHARDS: '1' }, { openFiles: 256 });
      const first = client(t, full);
      await state(first, 'connected');
      const second = client(t, full);
      const [errors, later] = [
        listen(second.connection, 'error'),
        listen(second.connection, 'connecting_in'),
      ];
      assert.equal(codeOf(await errors.next()), 4100);
      assert.equal(await later.next(), 1);
      first.disconnect();
      await state(second, 'connected');
    });

    test('moves to another server at once with 4200, when its own shuts down', async (t) => {
      const leaving = await startServer(t);
      const proxy = await startProxy(t, leaving.port);
      const pusher = client(t, proxy);
      const name = channelName();
      const channel = await subscribe(pusher, name);
      const again = listen(channel, 'pusher:subscription_succeeded');
      const errors = listen(pusher.connection, 'error');
      proxy.target = server.port;
      const [code] = await leaving.terminate();
      assert.equal(code, 0);
      assert.equal(codeOf(await errors.next()), 4200);
      await again.next();
      assert.equal(proxy.accepted, 2);
    });
  });
});
