// Pusher's server library for Node: publishing and asking (H1 to H9).

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import Backend from 'pusher';

import { backend, body, channelName, client, subscribe } from '../support/clients.js';
import { APP, startServer } from '../support/server.js';
import { listen, state } from '../support/waiting.js';

let server, app;

/** The answer to a call that must be refused. */
async function refused(call) {
  const error = await call.then(
    () => assert.fail('it was not refused'),
    (error) => error,
  );
  assert.equal(error.name, 'PusherRequestError');
  const { error: message, code } = JSON.parse(error.body);
  assert.equal(code, error.status);
  return { status: error.status, message };
}

describe('server-sdk', { concurrency: true }, async () => {
  server = await startServer({ after });
  app = backend(server);

  describe('the Node library publishes', { concurrency: true }, () => {
    test('to one channel', async (t) => {
      const name = channelName();
      const news = listen(await subscribe(client(t, server), name), 'news');
      const response = await app.trigger(name, 'news', { n: 1 });
      assert.equal(response.status, 200);
      assert.equal(await response.text(), '{}');
      assert.deepEqual(await news.next(), { n: 1 });
    });

    test('to many channels', async (t) => {
      const names = Array.from({ length: 100 }, () => channelName());
      const pusher = client(t, server);
      const channels = await Promise.all(names.map((name) => subscribe(pusher, name)));
      const news = channels.map((channel) => listen(channel, 'news'));
      await app.trigger(names, 'news', 'to all');
      for (const inbox of news) assert.equal(await inbox.next(), 'to all');
    });

    test('to everybody but one connection', async (t) => {
      const [author, reader] = [client(t, server), client(t, server)];
      const name = channelName();
      const [own, others] = await Promise.all(
        [author, reader].map(async (pusher) => listen(await subscribe(pusher, name), 'news')),
      );
      const { socket_id } = author.connection;
      await app.trigger(name, 'news', 1, { socket_id });
      await app.triggerBatch([{ channel: name, name: 'news', data: 2, socket_id }]);
      await app.trigger(name, 'news', 3);
      assert.equal(await own.next(), 3);
      for (const expected of [1, 2, 3]) assert.equal(await others.next(), expected);
    });

    test('a batch, in its order', async (t) => {
      const pusher = client(t, server);
      const names = [channelName(), channelName('private-encrypted-')];
      const news = [];
      for (const name of names) {
        const channel = await subscribe(pusher, name);
        for (const event of ['first', 'second']) news.push(listen(channel, event));
      }
      const answer = await body(
        app.triggerBatch([
          { channel: names[0], name: 'first', data: { n: 1 } },
          { channel: names[0], name: 'second', data: { n: 2 } },
          { channel: names[1], name: 'first', data: { n: 3 } },
          { channel: names[1], name: 'second', data: { n: 4 } },
        ]),
      );
      assert.deepEqual(answer, {});
      for (const [index, inbox] of news.entries()) {
        assert.deepEqual(await inbox.next(), { n: index + 1 });
      }
    });

    test('to a user', async (t) => {
      const pusher = client(t, server, { user: { id: 'sdk-user' } });
      await state(pusher, 'connected');
      const signedIn = listen(pusher.connection, 'message');
      pusher.signin();
      await signedIn.nextWhere(({ event }) => event === 'pusher:signin_success');
      const mail = listen(pusher.user, 'mail');
      assert.deepEqual(await body(app.sendToUser('sdk-user', 'mail', { n: 1 })), {});
      assert.deepEqual(await mail.next(), { n: 1 });
      assert.deepEqual(await body(app.terminateUserConnections('sdk-user')), {});
      await state(pusher, 'disconnected');
    });

    test('and is told how many hear it', async (t) => {
      const [open, presence, empty] = [channelName(), channelName('presence-'), channelName()];
      for (const user_id of ['a', 'b']) {
        const pusher = client(t, server, { member: { user_id } });
        await subscribe(pusher, open);
        await subscribe(pusher, presence);
      }
      const info = 'subscription_count,user_count';
      assert.deepEqual(await body(app.trigger([open, presence, empty], 'news', 1, { info })), {
        channels: {
          [open]: { subscription_count: 2 },
          [presence]: { subscription_count: 2, user_count: 2 },
          [empty]: { subscription_count: 0 },
        },
      });
      const batch = [
        { channel: open, name: 'news', data: 1, info: 'subscription_count' },
        { channel: open, name: 'news', data: 1 },
        { channel: presence, name: 'news', data: 1, info: 'user_count' },
      ];
      assert.deepEqual(await body(app.triggerBatch(batch)), {
        batch: [{ subscription_count: 2 }, {}, { user_count: 2 }],
      });
    });
  });

  describe('the Node library asks', () => {
    test('which channels are occupied', async (t) => {
      const own = await startServer(t);
      const asking = backend(own);
      const channels = (params) => body(asking.get({ path: '/channels', params }));
      assert.deepEqual(await channels(), { channels: {} });
      for (const user_id of ['a', 'b']) {
        const pusher = client(t, own, { member: { user_id } });
        for (const name of ['one', 'private-two', 'presence-three']) await subscribe(pusher, name);
      }
      assert.deepEqual(await channels(), {
        channels: { one: {}, 'private-two': {}, 'presence-three': {} },
      });
      const params = { filter_by_prefix: 'presence-', info: 'user_count' };
      assert.deepEqual(await channels(params), {
        channels: { 'presence-three': { user_count: 2 } },
      });
    });

    test('about one channel', async (t) => {
      const name = channelName('presence-cache-');
      const ask = () =>
        body(
          app.get({
            path: `/channels/${name}`,
            params: { info: 'user_count,subscription_count,cache' },
          }),
        );
      assert.equal((await ask()).occupied, false);
      const pushers = [0, 1].map(() => client(t, server, { member: { user_id: 7 } }));
      for (const pusher of pushers) await subscribe(pusher, name);
      await app.trigger(name, 'news', { n: 1 });
      const { cache, ...counts } = await ask();
      assert.deepEqual(counts, { occupied: true, user_count: 1, subscription_count: 2 });
      assert.equal(cache.data, '{"n":1}');
      assert.ok(cache.ttl > 0);
    });

    test('who is in a presence channel', async (t) => {
      const name = channelName('presence-');
      const users = () => body(app.get({ path: `/channels/${name}/users` }));
      assert.deepEqual(await users(), { users: [] });
      await subscribe(client(t, server, { member: { user_id: 7 } }), name);
      await subscribe(client(t, server, { member: { user_id: '7' } }), name);
      assert.deepEqual(await users(), { users: [{ id: '7' }] });
    });
  });

  describe('the Node library is refused', { concurrency: true }, () => {
    const stranger = (changes) =>
      new Backend({
        appId: APP.id,
        key: APP.key,
        secret: APP.secret,
        host: '127.0.0.1',
        port: String(server.port),
        ...changes,
      });
    const post = (path, body) => app.post({ path, body });
    const event = { name: 'e', channel: 'c', data: 'd' };
    const cases = [
      [
        'with a wrong secret',
        401,
        /signature/i,
        () => stranger({ secret: 'x' }).trigger('a', 'e', 1),
      ],
      ['with a wrong key', 401, /key/i, () => stranger({ key: 'x' }).trigger('a', 'e', 1)],
      [
        'with an unknown app',
        404,
        /nobody/,
        () => stranger({ appId: 'nobody' }).trigger('a', 'e', 1),
      ],
      ['without an event name', 400, /name/, () => post('/events', { channel: 'c', data: '' })],
      ['with a reserved event name', 400, /pusher/, () => app.trigger('a', 'pusher:error', 1)],
      [
        'with a bad channel name',
        400,
        /channel/,
        () => post('/events', { ...event, channel: 'a b' }),
      ],
      [
        'with 101 channels',
        400,
        /100/,
        () =>
          post('/events', {
            name: 'e',
            data: '',
            channels: Array.from({ length: 101 }, (_, n) => `c${n}`),
          }),
      ],
      [
        'with a bad socket id',
        400,
        /socket id/,
        () => post('/events', { ...event, socket_id: 'x' }),
      ],
      ['with too much data', 413, /102400|100/, () => app.trigger('a', 'e', 'x'.repeat(102_401))],
      [
        'with a batch of 11',
        400,
        /10/,
        () => app.triggerBatch(Array.from({ length: 11 }, () => ({ ...event }))),
      ],
      ['without a batch', 400, /batch/, () => post('/batch_events', {})],
      [
        'asking for users of a public channel',
        400,
        /presence/,
        () => app.get({ path: '/channels/open/users' }),
      ],
      [
        'asking for user counts of all channels',
        400,
        /filter_by_prefix/,
        () => app.get({ path: '/channels', params: { info: 'user_count' } }),
      ],
      ['at an unknown path', 404, /./, () => app.get({ path: '/nothing' })],
    ];
    for (const [when, status, message, call] of cases) {
      test(`${when}, with ${status} and a reason`, async () => {
        const answer = await refused(call());
        assert.equal(answer.status, status, answer.message);
        assert.match(answer.message, message);
      });
    }

    test('with 429 above the rate', async (t) => {
      const limited = await startServer(t, { DEFAULT_APP_MAX_BACKEND_EVENTS_PER_SEC: '2' });
      const calls = Array.from({ length: 10 }, () => backend(limited).trigger('a', 'e', 1));
      const results = await Promise.allSettled(calls);
      const errors = results
        .filter(({ status }) => status === 'rejected')
        .map(({ reason }) => reason);
      assert.ok(errors.length >= 6 && errors.length <= 8, `${errors.length} of 10 were refused`);
      for (const { status } of errors) assert.equal(status, 429);
    });

    test('as a whole, if one event of a batch is bad', async (t) => {
      const name = channelName();
      const news = listen(await subscribe(client(t, server), name), 'news');
      const batch = [
        { channel: name, name: 'news', data: 1 },
        { channel: name, name: 'pusher:x', data: 2 },
      ];
      assert.equal((await refused(app.triggerBatch(batch))).status, 400);
      await app.trigger(name, 'news', 3);
      assert.equal(await news.next(), 3);
    });
  });
});
