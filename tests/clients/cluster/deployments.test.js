// The same clients see the same things in every way to deploy: one node with one thread or with
// all cores, and three nodes over each adapter.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { backend, body, channelName, client, subscribe } from '../support/clients.js';
import { startNodes } from '../support/nodes.js';
import { startServer } from '../support/server.js';
import { Inbox, listen, state } from '../support/waiting.js';

const DEPLOYMENTS = {
  'one node with one thread': async (t) => Array(3).fill(await startServer(t, { SHARDS: '1' })),
  'one node with several threads': async (t) =>
    Array(3).fill(await startServer(t, { SHARDS: '3' })),
  'three nodes in a mesh': (t) => startNodes(t, 'cluster'),
  'three nodes over Redis': (t) => startNodes(t, 'redis'),
  'three nodes over NATS': (t) => startNodes(t, 'nats'),
};

/** A subscribed channel on each node, of a client each. */
function everywhere(t, nodes, name, options = () => ({})) {
  return Promise.all(nodes.map((node, n) => subscribe(client(t, node, options(n)), name)));
}

function ids(channel) {
  const found = [];
  channel.members.each(({ id }) => found.push(id));
  return found.sort();
}

/** Nothing else comes: what is published now arrives, and arrives next. */
async function nothingElse(app, name, inboxes) {
  await app.trigger(name, 'end', 'end');
  for (const { end, others } of inboxes) {
    assert.equal(await end.next(), 'end');
    for (const other of others) assert.equal(other.size, 0);
  }
}

for (const [deployment, start] of Object.entries(DEPLOYMENTS)) {
  describe(`cluster/deployments: ${deployment}`, { concurrency: true }, async () => {
    const nodes = await start({ after });
    const apps = nodes.map(backend);

    test('members are the same on every node, and each comes and goes once', async (t) => {
      const name = channelName('presence-');
      const channels = await everywhere(t, nodes, name, (n) => ({ member: { user_id: `w${n}` } }));
      const news = channels.map((channel) => {
        const inbox = new Inbox(`who comes and goes in ${name}`);
        for (const event of ['member_added', 'member_removed']) {
          channel.bind(`pusher:${event}`, ({ id }) => inbox.put([event, id]));
        }
        return inbox;
      });
      // Watchers who joined at the same time may have heard of each other already.
      const see = async (event, id) => {
        for (const inbox of news) {
          await inbox.nextWhere(([kind, who]) => kind === event && who === id);
        }
      };
      const member = { user_id: 'ada', user_info: { name: 'Ada' } };
      const tabs = [nodes[0], nodes[1]].map((node) => client(t, node, { member }));
      const seen = await Promise.all(tabs.map((tab) => subscribe(tab, name)));
      await see('member_added', 'ada');
      const all = ['ada', 'w0', 'w1', 'w2'];
      for (const channel of [...channels, ...seen]) assert.deepEqual(ids(channel), all);
      assert.deepEqual(channels[2].members.get('ada').info, { name: 'Ada' });
      for (const app of apps) {
        const { users } = await body(app.get({ path: `/channels/${name}/users` }));
        assert.deepEqual(users.map(({ id }) => id).sort(), all);
      }

      tabs[0].disconnect();
      const marker = client(t, nodes[2], { member: { user_id: 'marker' } });
      await subscribe(marker, name);
      // That one of two tabs has gone was worth no word.
      for (const inbox of news) assert.deepEqual(await inbox.next(), ['member_added', 'marker']);
      tabs[1].disconnect();
      await see('member_removed', 'ada');
      for (const channel of channels) assert.deepEqual(ids(channel), ['marker', 'w0', 'w1', 'w2']);
      for (const inbox of news) assert.equal(inbox.size, 0);
    });

    test('client events reach all others once, and say who sent them', async (t) => {
      const name = channelName('presence-');
      const channels = await everywhere(t, nodes, name, (n) => ({ member: { user_id: `u${n}` } }));
      const inboxes = channels.map((channel) => {
        const [heard, end] = [new Inbox(`client events of ${name}`), listen(channel, 'end')];
        channel.bind('client-hi', (data, { user_id }) => heard.put([data, user_id]));
        return { end, heard, others: [heard] };
      });
      for (const [n, channel] of channels.entries()) {
        channel.trigger('client-hi', { from: n });
        for (const [other, { heard }] of inboxes.entries()) {
          if (other !== n) assert.deepEqual(await heard.next(), [{ from: n }, `u${n}`]);
        }
      }
      await nothingElse(apps[0], name, inboxes);
    });

    test('whoever a backend leaves out hears nothing, whichever node it asks', async (t) => {
      const name = channelName('private-');
      const clients = nodes.map((node) => client(t, node));
      const channels = await Promise.all(clients.map((pusher) => subscribe(pusher, name)));
      const inboxes = channels.map((channel) => {
        const [news, end] = [listen(channel, 'news'), listen(channel, 'end')];
        return { news, end, others: [news] };
      });
      for (const [n, pusher] of clients.entries()) {
        const { socket_id } = pusher.connection;
        for (const app of apps) {
          await app.trigger([name, channelName()], 'news', n, { socket_id });
          await app.triggerBatch([{ channel: name, name: 'news', data: n, socket_id }]);
          for (const [other, { news }] of inboxes.entries()) {
            if (other === n) continue;
            assert.equal(await news.next(), n);
            assert.equal(await news.next(), n);
          }
        }
      }
      await nothingElse(apps[1], name, inboxes);
    });

    test('a user is reached on every node', async (t) => {
      const user = { id: channelName('user-') };
      const ours = nodes.map((node) => client(t, node, { user }));
      const mails = await Promise.all(
        ours.map(async (pusher) => {
          await subscribe(pusher, channelName());
          const messages = listen(pusher.connection, 'message');
          pusher.signin();
          await messages.nextWhere(
            ({ channel, event }) =>
              channel === `#server-to-user-${user.id}` &&
              event === 'pusher_internal:subscription_succeeded',
          );
          return listen(pusher.user, 'mail');
        }),
      );
      for (const [n, app] of apps.entries()) {
        await app.sendToUser(user.id, 'mail', { n });
        for (const mail of mails) assert.deepEqual(await mail.next(), { n });
      }
      await apps[1].terminateUserConnections(user.id);
      await Promise.all(ours.map((pusher) => state(pusher, 'disconnected')));
    });

    test('an encrypted channel is decrypted on every node', async (t) => {
      const name = channelName('private-encrypted-');
      const channels = await everywhere(t, nodes, name);
      const secrets = channels.map((channel) => listen(channel, 'secret'));
      for (const [n, app] of apps.entries()) {
        await app.trigger(name, 'secret', { text: `grüße ${n} 🦀` });
        for (const secret of secrets) {
          assert.deepEqual(await secret.next(), { text: `grüße ${n} 🦀` });
        }
      }
    });
  });
}
