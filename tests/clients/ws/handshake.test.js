// The `ws` library, a strict client of RFC 6455: what a connection is told when it may not be
// opened (W2 to W4, W14), and frames of every shape.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';

import WebSocket from 'ws';

import { atEnd } from '../support/cleanup.js';
import { APP, startServer } from '../support/server.js';
import { Inbox } from '../support/waiting.js';

let lenient, strict;

/** A WebSocket, the messages that come over it, and how it is closed. */
function open(t, { port }, path, options) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, options);
  atEnd(t, () => socket.terminate());
  const [messages, closed] = [new Inbox(`message on ${path}`), new Inbox(`close of ${path}`)];
  socket.on('message', (data) => messages.put(JSON.parse(data)));
  socket.on('close', (code, reason) => closed.put({ code, reason: String(reason) }));
  socket.on('error', closed.put);
  return { socket, messages, closed };
}

async function connected(t, options) {
  const opened = open(t, lenient, `/app/${APP.key}?protocol=7`, options);
  const { event, data } = await opened.messages.next();
  assert.equal(event, 'pusher:connection_established');
  assert.equal(JSON.parse(data).activity_timeout, 30);
  return opened;
}

describe('ws', { concurrency: true }, async () => {
  lenient = await startServer({ after });
  strict = await startServer({ after }, { STRICT_PROTOCOL_VERSION: 'true' });

  describe('a WebSocket that may not be opened', { concurrency: true }, () => {
    const key = `/app/${APP.key}`;
    const refusals = [
      [4001, lenient, '/app/nobody?protocol=7'],
      [4005, lenient, '/app/?protocol=7'],
      [4005, lenient, '/app?protocol=7'],
      [4006, strict, `${key}?protocol=seven`],
      [4007, strict, `${key}?protocol=3`],
      [4008, strict, key],
    ];
    for (const [code, server, path] of refusals) {
      test(`is told ${code} at ${path}, in an error and in the close frame`, async (t) => {
        const { socket, messages, closed } = open(t, server, path);
        await once(socket, 'open');
        const { event, data } = await messages.next();
        assert.equal(event, 'pusher:error');
        assert.equal(data.code, code);
        assert.deepEqual(await closed.next(), { code, reason: data.message });
      });
    }
  });

  describe('a WebSocket', { concurrency: true }, () => {
    for (const query of ['', '?protocol=4', '?protocol=5&client=java-client', '?protocol=seven']) {
      test(`is opened with the query '${query}'`, async (t) => {
        const { messages } = open(t, lenient, `/app/${APP.key}${query}`);
        assert.equal((await messages.next()).event, 'pusher:connection_established');
      });
    }

    test('gets its pong, whether by a control frame or by an event', async (t) => {
      const { socket, messages } = await connected(t);
      socket.ping('a payload');
      const [payload] = await once(socket, 'pong');
      assert.equal(String(payload), 'a payload');
      for (const ping of ['{"event":"pusher:ping"}', '{"event":"pusher:ping","data":{}}']) {
        socket.send(ping);
        assert.deepEqual(await messages.next(), { event: 'pusher:pong', data: '{}' });
      }
    });

    test('may send a message in fragments, with control frames in between', async (t) => {
      const { socket, messages } = await connected(t);
      const text = Buffer.from('{"event":"pusher:subscribe","data":{"channel":"fragments"}}');
      for (let at = 0; at < text.length; at += 7) {
        socket.send(text.subarray(at, at + 7), { binary: false, fin: at + 7 >= text.length });
        socket.ping();
      }
      const { event, channel } = await messages.next();
      assert.equal(event, 'pusher_internal:subscription_succeeded');
      assert.equal(channel, 'fragments');
    });

    test('stays open when it sends what nobody understands', async (t) => {
      const { socket, messages } = await connected(t);
      for (const message of [Buffer.from([1, 2, 3]), 'not JSON', '{"event":"pusher:subscribe"}']) {
        socket.send(message);
        const { event, data } = await messages.next();
        assert.equal(event, 'pusher:error');
        assert.equal(data.code, null);
      }
      assert.equal(socket.readyState, WebSocket.OPEN);
    });

    test('is closed with 1009 when it sends more than may be sent', async (t) => {
      const { socket, closed } = await connected(t);
      socket.send('x'.repeat(1_000_000));
      assert.equal((await closed.next()).code, 1009);
    });

    test('is closed as it asks for', async (t) => {
      const { socket, closed } = await connected(t);
      socket.close(1000, 'done');
      assert.equal((await closed.next()).code, 1000);
    });
  });
});
