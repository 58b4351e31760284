// pusher-js in public, private, encrypted and cache channels.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { backend, body, channelName, client, subscribe } from '../support/clients.js';
import { startServer } from '../support/server.js';
import { listen, state } from '../support/waiting.js';

let server, app;

describe('pusher-js/channels', { concurrency: true }, async () => {
  server = await startServer({ after }, { DEFAULT_APP_ENABLE_SUBSCRIPTION_COUNT: 'true' });
  app = backend(server);

  describe('pusher-js in a channel', { concurrency: true }, () => {
    for (const kind of ['', 'private-', 'private-encrypted-']) {
      test(`'${kind}…' receives what the backend publishes, unchanged and in order`, async (t) => {
        const name = channelName(kind);
        const channel = await subscribe(client(t, server), name);
        const news = listen(channel, 'news');
        const data = [{ text: 'grüße \u2028 🦀', nested: [1, null, { a: '"\\' }] }, 'plain', ' '];
        for (const item of data) await app.trigger(name, 'news', item);
        for (const item of data) assert.deepEqual(await news.next(), item);
      });
    }

    test('subscribes when it is connected, if it is told to before', async (t) => {
      const pusher = client(t, server);
      const channel = pusher.subscribe(channelName('private-'));
      assert.equal(pusher.connection.state, 'connecting');
      await listen(channel, 'pusher:subscription_succeeded').next();
      assert.ok(channel.subscribed);
    });

    test('is refused with a wrong signature, in both shapes, and stays connected', async (t) => {
      const customHandler = (_, answer) => answer(null, { auth: 'clients-key:00' });
      const pusher = client(t, server, { channelAuthorization: { customHandler } });
      const errors = listen(pusher.connection, 'error');
      const channel = pusher.subscribe(channelName('private-'));
      const refused = await listen(channel, 'pusher:subscription_error').next();
      assert.equal(refused.type, 'AuthError');
      assert.equal(refused.status, 401);
      const { data } = await errors.next();
      assert.equal(data.code, null);
      assert.match(data.message, /^Invalid signature/);
      await subscribe(pusher, channelName());
      assert.ok(!channel.subscribed);
    });

    test('leaves when it is told to while it is still joining', async (t) => {
      const pusher = client(t, server);
      await state(pusher, 'connected');
      const name = channelName('private-');
      const channel = pusher.subscribe(name);
      assert.ok(channel.subscriptionPending);
      pusher.unsubscribe(name);
      // The next answer on the connection comes after everything before has been dealt with, but
      // pusher-js unsubscribes only on hearing that it is subscribed.
      await subscribe(pusher, channelName());
      await subscribe(pusher, channelName());
      assert.ok(!channel.subscribed);
      assert.deepEqual(await body(app.get({ path: `/channels/${name}` })), { occupied: false });
    });

    test('stays when it changes its mind twice while it is still joining', async (t) => {
      const pusher = client(t, server);
      await state(pusher, 'connected');
      const name = channelName('private-');
      pusher.subscribe(name);
      pusher.unsubscribe(name);
      const channel = await subscribe(pusher, name);
      const news = listen(channel, 'news');
      await app.trigger(name, 'news', 'still here');
      assert.equal(await news.next(), 'still here');
    });

    test('receives nothing after it has left', async (t) => {
      const pusher = client(t, server);
      const [left, kept] = [channelName(), channelName()];
      const news = listen(await subscribe(pusher, left), 'news');
      const marker = listen(await subscribe(pusher, kept), 'news');
      pusher.unsubscribe(left);
      await subscribe(pusher, channelName());
      await app.trigger(left, 'news', 'for nobody');
      await app.trigger(kept, 'news', 'the end');
      await marker.next();
      assert.equal(news.size, 0);
    });

    test('hears how many are subscribed', async (t) => {
      const [first, second] = [client(t, server), client(t, server)];
      const name = channelName();
      const channel = first.subscribe(name);
      const counts = listen(channel, 'pusher:subscription_count');
      assert.deepEqual(await counts.next(), { subscription_count: 1 });
      await subscribe(second, name);
      assert.deepEqual(await counts.next(), { subscription_count: 2 });
      assert.equal(channel.subscriptionCount, 2);
      second.disconnect();
      assert.deepEqual(await counts.next(), { subscription_count: 1 });
    });
  });

  describe('pusher-js in a cache channel', { concurrency: true }, () => {
    for (const kind of [
      'cache-',
      'private-cache-',
      'private-encrypted-cache-',
      'presence-cache-',
    ]) {
      test(`'${kind}…' hears of a miss, and of the last event later`, async (t) => {
        const member = { user_id: 'reader' };
        const name = channelName(kind);
        const early = client(t, server, { member }).subscribe(name);
        const [miss, news] = [listen(early, 'pusher:cache_miss'), listen(early, 'news')];
        await miss.next();
        await app.trigger(name, 'news', { edition: 1 });
        await app.trigger(name, 'news', { edition: 2 });
        assert.deepEqual(await news.next(), { edition: 1 });
        assert.deepEqual(await news.next(), { edition: 2 });

        const pusher = client(t, server, { member });
        const late = pusher.subscribe(name);
        const [cached, missed] = [listen(late, 'news'), listen(late, 'pusher:cache_miss')];
        assert.deepEqual(await cached.next(), { edition: 2 });
        await subscribe(pusher, channelName());
        assert.equal(missed.size + cached.size, 0);
      });
    }
  });
});
