// Events that pusher-js clients send to each other (W39 to W42).

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { channelName, client, subscribe } from '../support/clients.js';
import { startServer } from '../support/server.js';
import { Inbox, listen } from '../support/waiting.js';

let server;

/** The event's data together with what pusher-js says about its sender. */
function listenWithSender(channel, event) {
  const inbox = new Inbox(`'${event}' on ${channel.name}`);
  channel.bind(event, (data, metadata) => inbox.put({ data, ...metadata }));
  return inbox;
}

describe('pusher-js/client-events', { concurrency: true }, async () => {
  server = await startServer({ after });

  describe('pusher-js client events', { concurrency: true }, () => {
    test('go both ways in a private channel, and not to the sender', async (t) => {
      const name = channelName('private-');
      const one = await subscribe(client(t, server), name);
      const other = await subscribe(client(t, server), name);
      const [toOne, toOther] = [listen(one, 'client-hi'), listen(other, 'client-hi')];
      one.trigger('client-hi', { from: 'one', text: 'ß🦀' });
      assert.deepEqual(await toOther.next(), { from: 'one', text: 'ß🦀' });
      other.trigger('client-hi', { from: 'other' });
      // Had its own event come back, it would have come first.
      assert.deepEqual(await toOne.next(), { from: 'other' });
      assert.equal(toOther.size, 0);
    });

    test('name their sender in a presence channel', async (t) => {
      const name = channelName('presence-');
      const one = await subscribe(client(t, server, { member: { user_id: 'one' } }), name);
      const two = await subscribe(client(t, server, { member: { user_id: 2 } }), name);
      const [toOne, toTwo] = [
        listenWithSender(one, 'client-hi'),
        listenWithSender(two, 'client-hi'),
      ];
      one.trigger('client-hi', [1]);
      assert.deepEqual(await toTwo.next(), { data: [1], user_id: 'one' });
      two.trigger('client-hi', [2]);
      assert.deepEqual(await toOne.next(), { data: [2], user_id: '2' });
    });

    test('above the rate are dropped with 4301, and the connection stays', async (t) => {
      const limited = await startServer(t, { DEFAULT_APP_MAX_CLIENT_EVENTS_PER_SEC: '5' });
      const name = channelName('private-');
      const pusher = client(t, limited);
      const sender = await subscribe(pusher, name);
      const received = listen(await subscribe(client(t, limited), name), 'client-tick');
      const errors = listen(pusher.connection, 'error');
      const ofChannel = listen(sender, 'pusher:error');
      for (let tick = 0; tick < 20; tick += 1) sender.trigger('client-tick', { tick });
      const error = await errors.next();
      assert.equal(error.type, 'PusherError');
      assert.equal(error.data.code, 4301);
      assert.equal((await ofChannel.next()).code, 4301);
      for (let tick = 0; tick < 5; tick += 1) assert.deepEqual(await received.next(), { tick });
      await subscribe(pusher, channelName());
      assert.ok(received.size < 10, `${received.size + 5} of 20 came through`);
      assert.equal(pusher.connection.state, 'connected');
    });

    test('are refused with 4301 where the app does not have them', async (t) => {
      const silent = await startServer(t, { DEFAULT_APP_ENABLE_CLIENT_MESSAGES: 'false' });
      const pusher = client(t, silent);
      const sender = await subscribe(pusher, channelName('private-'));
      const errors = listen(pusher.connection, 'error');
      sender.trigger('client-hi', {});
      assert.equal((await errors.next()).data.code, 4301);
      assert.equal(pusher.connection.state, 'connected');
    });

    test('are refused in a public channel', async (t) => {
      const pusher = client(t, server);
      const sender = await subscribe(pusher, channelName());
      const errors = listen(pusher.connection, 'error');
      sender.trigger('client-hi', {});
      assert.equal((await errors.next()).data.code, null);
      assert.equal(pusher.connection.state, 'connected');
    });
  });
});
