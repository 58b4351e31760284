// Webhooks, as Pusher's server library for Node takes them in (K1, K2).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { backend, channelName, client, subscribe } from '../support/clients.js';
import { startBroker } from '../support/broker.js';
import { startNodes } from '../support/nodes.js';
import { startServer } from '../support/server.js';
import { startTarget } from '../support/target.js';
import { eventually, pause } from '../support/waiting.js';

const EVERYTHING = [
  'channel_occupied',
  'channel_vacated',
  'member_added',
  'member_removed',
  'client_event',
  'cache_miss',
  'subscription_count',
];

const named = (events, name) => events.filter((event) => event.name === name);
const by = (events, name) =>
  named(events, name)
    .map(({ channel }) => channel)
    .sort();

describe('webhooks', { concurrency: true }, () => {
  for (const batching of ['false', 'true']) {
    test(`of every kind are valid (batching: ${batching})`, async (t) => {
      const target = await startTarget(t);
      const env = target.environment(...EVERYTHING);
      const server = await startServer(t, {
        ...env,
        WEBHOOKS_GRACE: '0',
        WEBHOOKS_BATCHING: batching,
      });
      const pusher = client(t, server, { member: { user_id: 7 } });
      const names = ['', 'presence-', 'cache-'].map(channelName);
      const [, presence] = await Promise.all(names.map((name) => subscribe(pusher, name)));
      presence.trigger('client-hello', { text: 'grüße "\\' });
      await eventually('the client event', () => named(target.events, 'client_event').length);
      pusher.disconnect();
      await eventually('the end', () => named(target.events, 'channel_vacated').length === 3);
      assert.deepEqual(target.complaints, []);
      assert.deepEqual(by(target.events, 'channel_occupied'), [...names].sort());
      assert.deepEqual(by(target.events, 'cache_miss'), [names[2]]);
      const [added] = named(target.events, 'member_added');
      assert.deepEqual(added, { name: 'member_added', channel: names[1], user_id: '7' });
      const [sent] = named(target.events, 'client_event');
      assert.deepEqual(JSON.parse(sent.data), { text: 'grüße "\\' });
      assert.equal(sent.user_id, '7');
    });
  }

  test('are sent by a worker, also after one died in the middle of them', async (t) => {
    const target = await startTarget(t);
    target.status = 500;
    const redis = await startBroker(t, 'redis');
    const env = {
      ...target.environment('channel_occupied'),
      QUEUE_DRIVER: 'redis',
      DB_REDIS_HOST: '127.0.0.1',
      DB_REDIS_PORT: String(redis),
    };
    const server = await startServer(t, { ...env, MODE: 'server' });
    const worker = await startServer(t, { ...env, MODE: 'worker' });
    const pusher = client(t, server);
    const names = Array.from({ length: 50 }, () => channelName());
    await Promise.all(names.map((name) => subscribe(pusher, name)));
    await eventually('the worker to have something in hand', () => target.attempts > 0);
    assert.equal((await fetch(`${worker.url}/ready`)).status, 200);
    assert.equal((await fetch(`${worker.url}/app/x`)).status, 404);
    await worker.kill();
    target.status = 200;
    await startServer(t, { ...env, MODE: 'worker' });
    await eventually('every channel', () => new Set(by(target.events, 'channel_occupied')).size === 50);
    assert.deepEqual([...new Set(by(target.events, 'channel_occupied'))], [...names].sort());
    assert.deepEqual(target.complaints, []);
  });

  for (const adapter of ['cluster', 'redis']) {
    test(`of a node that was killed are told by the others (${adapter})`, async (t) => {
      const target = await startTarget(t);
      const env = { ...target.environment('channel_occupied', 'channel_vacated'), WEBHOOKS_GRACE: '200' };
      const nodes = await startNodes(t, adapter, 3, env);
      // Nodes that have just come need a few heartbeats to agree on who speaks for what.
      await pause(1500);
      const guests = nodes.map((node) => client(t, node));
      const names = Array.from({ length: 60 }, () => channelName());
      await Promise.all(names.map((name) => subscribe(guests[0], name)));
      // One of them is somebody else's as well.
      await subscribe(guests[1], names[0]);
      await target.holds(60);
      guests[0].connection.bind('connecting', () => guests[0].disconnect());
      // What was said longer ago than the time until a node is dead is not said again.
      await pause(2500);
      await nodes[0].kill();
      await eventually('the empty channels', () => named(target.events, 'channel_vacated').length >= 59);
      assert.deepEqual(by(target.events, 'channel_vacated'), names.slice(1).sort());
      assert.deepEqual(by(target.events, 'channel_occupied'), [...names].sort());
    });

    test(`say nothing of clients that move to another node (${adapter})`, async (t) => {
      const target = await startTarget(t);
      const nodes = await startNodes(t, adapter, 3, target.environment(...EVERYTHING.slice(0, 4)));
      const name = channelName('presence-');
      let pusher = client(t, nodes[0], { member: { user_id: 'u' } });
      await subscribe(pusher, name);
      await target.holds(2);
      for (let round = 1; round <= 10; round += 1) {
        pusher.disconnect();
        pusher = client(t, nodes[round % 3], { member: { user_id: 'u' } });
        await subscribe(pusher, name);
      }
      // What a backend is told after the grace is told after everything that was before it.
      const last = client(t, nodes[0]);
      const marker = channelName();
      await subscribe(last, marker);
      last.disconnect();
      await eventually('the marker', () => by(target.events, 'channel_vacated').includes(marker));
      assert.equal(target.events.filter(({ channel }) => channel === name).length, 2);
      assert.equal((await backend(nodes[1]).get({ path: `/channels/${name}` })).status, 200);
    });
  }
});
