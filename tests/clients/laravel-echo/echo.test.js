// Laravel Echo on pusher-js, as a Laravel front end uses it.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import Echo from 'laravel-echo';

import { backend, body, channelName, clientOptions, Pusher } from '../support/clients.js';
import { atEnd } from '../support/cleanup.js';
import { APP, startServer } from '../support/server.js';
import { Inbox } from '../support/waiting.js';

let server, app;

function echo(t, { broadcaster = 'reverb', ...changes } = {}) {
  const options = clientOptions(server, changes);
  // pusher-js overlooks an `authorizer`, the older way, where there is the newer one as well.
  if (options.authorizer) delete options.channelAuthorization;
  const echo = new Echo({ broadcaster, key: APP.key, Pusher, ...options });
  atEnd(t, () => echo.disconnect());
  return echo;
}

/** What a channel's method calls back with. */
function heard(channel, method, ...args) {
  const inbox = new Inbox(`${method}(${args}) on ${channel.name}`);
  channel[method](...args, inbox.put);
  return inbox;
}

/** Resolves when the channel is subscribed. */
function subscribed(channel) {
  return heard(channel, 'subscribed').next();
}

describe('laravel-echo', { concurrency: true }, async () => {
  server = await startServer({ after });
  app = backend(server);

  describe('Laravel Echo', { concurrency: true }, () => {
    for (const broadcaster of ['pusher', 'reverb']) {
      test(`with the broadcaster '${broadcaster}' listens to every kind of channel`, async (t) => {
        const { join, private: private_, channel, encryptedPrivate } = Echo.prototype;
        const kinds = [
          ['', channel],
          ['private-', private_],
          ['private-encrypted-', encryptedPrivate],
          ['presence-', join],
        ];
        const ours = echo(t, { broadcaster, member: { user_id: 1, user_info: {} } });
        for (const [prefix, open] of kinds) {
          const name = channelName();
          const opened = open.call(ours, name);
          await subscribed(opened);
          const shipped = heard(opened, 'listen', 'OrderShipped');
          const custom = heard(opened, 'listen', '.order.shipped');
          await app.trigger(prefix + name, 'App\\Events\\OrderShipped', { order: { id: 1 } });
          await app.trigger(prefix + name, 'order.shipped', { order: { id: 2 } });
          assert.deepEqual(await shipped.next(), { order: { id: 1 } });
          assert.deepEqual(await custom.next(), { order: { id: 2 } });
        }
        assert.equal(ours.connectionStatus(), 'connected');
      });
    }

    test('receives broadcast notifications', async (t) => {
      const name = `App.Models.User.${channelName()}`;
      const opened = echo(t).private(name);
      await subscribed(opened);
      const notified = heard(opened, 'notification');
      const event = 'Illuminate\\Notifications\\Events\\BroadcastNotificationCreated';
      await app.trigger(`private-${name}`, event, { id: 'n1', type: 'Paid' });
      assert.deepEqual(await notified.next(), { id: 'n1', type: 'Paid' });
    });

    test('does not receive what is broadcast to others', async (t) => {
      const [sender, other] = [echo(t), echo(t)];
      const name = channelName();
      const channels = [sender, other].map((echo) => echo.private(name));
      await Promise.all(channels.map(subscribed));
      const [own, others] = channels.map((channel) => heard(channel, 'listen', '.saved'));
      const channel = `private-${name}`;
      await app.trigger(channel, 'saved', { n: 1 }, { socket_id: sender.socketId() });
      await app.trigger(channel, 'saved', { n: 2 });
      assert.deepEqual(await own.next(), { n: 2 });
      assert.deepEqual([await others.next(), await others.next()], [{ n: 1 }, { n: 2 }]);
    });

    test('knows who is here, joining and leaving', async (t) => {
      const name = channelName();
      const ada = echo(t, { member: { user_id: 1, user_info: { id: 1, name: 'Ada' } } });
      const room = ada.join(name);
      const here = heard(room, 'here');
      const [joining, leaving] = [heard(room, 'joining'), heard(room, 'leaving')];
      assert.deepEqual(await here.next(), [{ id: 1, name: 'Ada' }]);

      const bob = echo(t, { member: { user_id: 2, user_info: { id: 2, name: 'Bob' } } });
      const all = await heard(bob.join(name), 'here').next();
      assert.deepEqual(all.map((member) => member.name).sort(), ['Ada', 'Bob']);
      assert.deepEqual(await joining.next(), { id: 2, name: 'Bob' });

      bob.leave(name);
      assert.deepEqual(await leaving.next(), { id: 2, name: 'Bob' });
    });

    test('counts a member without info among those who are here', async (t) => {
      const name = channelName();
      await heard(echo(t, { member: { user_id: 'a' } }).join(name), 'here').next();
      const here = await heard(echo(t, { member: { user_id: 'b' } }).join(name), 'here').next();
      assert.equal(here.length, 2);
    });

    test('whispers, with and without data', async (t) => {
      const name = channelName();
      const [one, other] = [1, 2].map((id) =>
        echo(t, { member: { user_id: id, user_info: { id } } }).join(name),
      );
      await Promise.all([one, other].map(subscribed));
      const [typing, exit] = [
        heard(other, 'listenForWhisper', 'typing'),
        heard(other, 'listenForWhisper', 'exit'),
      ];
      const own = heard(one, 'listenForWhisper', 'typing');
      one.whisper('typing', { name: 'Ada' });
      one.whisper('exit');
      other.whisper('typing', { name: 'Bob' });
      assert.deepEqual(await typing.next(), { name: 'Ada' });
      await exit.next();
      assert.deepEqual(await own.next(), { name: 'Bob' });
    });

    test('hears of a subscription that the application refuses', async (t) => {
      const customHandler = (_, answer) => answer(new Error('403'), null);
      const refused = heard(
        echo(t, { channelAuthorization: { customHandler } }).private(channelName()),
        'error',
      );
      assert.equal((await refused.next()).error, '403');
    });

    test('hears of a subscription that the server refuses', async (t) => {
      const authorizer = () => ({
        authorize: (_, answer) => answer(null, { auth: `${APP.key}:00` }),
      });
      const ours = echo(t, { authorizer });
      const refused = heard(ours.private(channelName()), 'error');
      const { type, status } = await refused.next();
      assert.deepEqual({ type, status }, { type: 'AuthError', status: 401 });
      await subscribed(ours.channel(channelName()));
    });

    test('leaves every kind of a channel, and only those it is in', async (t) => {
      const ours = echo(t, { member: { user_id: 1 } });
      const name = channelName();
      await Promise.all([ours.channel(name), ours.join(name)].map(subscribed));
      const others = echo(t).channel(name);
      await subscribed(others);
      ours.leave(name);
      const kept = ours.channel(channelName());
      await subscribed(kept);
      const { channels } = await body(
        app.get({ path: '/channels', params: { info: 'subscription_count' } }),
      );
      assert.equal(channels[name].subscription_count, 1);
      assert.equal(channels[`presence-${name}`], undefined);
    });

    test('signs in', async (t) => {
      const ours = echo(t, { user: { id: 'echo-user' } });
      const { pusher } = ours.connector;
      ours.connector.signin();
      await subscribed(ours.channel(channelName()));
      await pusher.user.signinDonePromise;
      const mail = new Inbox('mail');
      pusher.user.bind('mail', mail.put);
      await app.sendToUser('echo-user', 'mail', 'hello');
      assert.equal(await mail.next(), 'hello');
    });
  });
});
