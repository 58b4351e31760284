// A node that crashes: its clients find another one through a load balancer, and those who do not
// come back are gone for everybody.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { backend, body, channelName, client, subscribe } from '../support/clients.js';
import { startNodes } from '../support/nodes.js';
import { startProxy } from '../support/proxy.js';
import { eventually, listen } from '../support/waiting.js';

/** Until everybody has been told that somebody is gone, in ms. */
const BAR = 5_000;

/** Who has come and gone since, in order. */
function history(channel) {
  const events = [];
  channel.bind('pusher:member_added', ({ id }) => events.push({ id, here: true }));
  channel.bind('pusher:member_removed', ({ id }) => events.push({ id, here: false }));
  return events;
}

function ids(channel) {
  const found = [];
  channel.members.each(({ id }) => found.push(id));
  return found.sort();
}

const numbered = (prefix, count) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

describe('cluster/kill: after a crash', { concurrency: true }, () => {
  for (const adapter of ['cluster', 'redis', 'nats']) {
    test(`clients go on at another node (${adapter})`, async (t) => {
      const nodes = await startNodes(t, adapter);
      const balancer = await startProxy(
        t,
        nodes.map(({ port }) => port),
      );
      const name = channelName('presence-');
      const join = async (server, user_id) => {
        const pusher = client(t, server, { member: { user_id } });
        return { pusher, channel: await subscribe(pusher, name) };
      };
      const travellers = [];
      for (const id of numbered('traveller', 9)) travellers.push(await join(balancer, id));
      const witnesses = [await join(nodes[1], 'witness1'), await join(nodes[2], 'witness2')];
      const residents = [];
      for (const id of numbered('resident', 3)) residents.push(await join(nodes[0], id));
      const staying = [...numbered('traveller', 9), 'witness1', 'witness2'];
      const everybody = [...staying, ...numbered('resident', 3)].sort();
      for (const { channel } of witnesses) {
        await eventually('everybody to be seen', () => channel.members.count === everybody.length);
        assert.deepEqual(ids(channel), everybody);
      }
      const seen = witnesses.map(({ channel }) => history(channel));
      for (const { pusher } of residents) {
        pusher.connection.bind('connecting', () => pusher.disconnect());
      }
      const moving = travellers.map(({ pusher, channel }) => ({
        socket: pusher.connection.socket_id,
        again: listen(channel, 'pusher:subscription_succeeded'),
      }));

      const killed = Date.now();
      await nodes[0].kill();
      for (const { channel } of witnesses) {
        await eventually('residents to be gone', () => !/resident/.test(ids(channel).join()));
      }
      const took = Date.now() - killed;
      t.diagnostic(`members of a killed node are gone after ${took} ms`);
      assert.ok(took < BAR, `${took} ms`);
      await eventually('all travellers to be somewhere', () =>
        travellers.every(({ pusher }) => pusher.connection.state === 'connected'),
      );
      let moved = 0;
      for (const [n, { pusher }] of travellers.entries()) {
        if (pusher.connection.socket_id === moving[n].socket) continue;
        await moving[n].again.next();
        moved += 1;
      }
      assert.equal(moved, 3, 'the balancer has dealt them out');

      staying.sort();
      for (const { channel } of [...witnesses, ...travellers]) {
        await eventually('the rosters to agree', () => ids(channel).join() === staying.join());
      }
      for (const node of nodes.slice(1)) {
        const { users } = await body(backend(node).get({ path: `/channels/${name}/users` }));
        assert.deepEqual(users.map(({ id }) => id).sort(), staying);
      }
      const news = [...witnesses, ...travellers].map(({ channel }) => listen(channel, 'news'));
      for (const node of nodes.slice(1)) {
        await backend(node).trigger(name, 'news', node.port);
        for (const inbox of news) assert.equal(await inbox.next(), node.port);
      }
      for (const inbox of news) assert.equal(inbox.size, 0);
      for (const events of seen) {
        for (const id of everybody) {
          const turns = events.filter((event) => event.id === id).map(({ here }) => here);
          // Each change is the opposite of the one before.
          assert.ok(turns.every((here, n) => here === (n % 2 === 1)), `${id}: ${turns}`);
          if (id.startsWith('resident')) assert.deepEqual(turns, [false], id);
        }
      }
    });
  }
});
