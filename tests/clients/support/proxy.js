// A TCP proxy between a client and the server that can do what networks do: break off, go silent,
// and lead to another server.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

import { atEnd } from './cleanup.js';

/** Starts a proxy to a local port; it ends with the test or suite `t`. */
export async function startProxy(t, target) {
  const proxy = new Proxy(target);
  await proxy.listen();
  atEnd(t, () => proxy.close());
  return proxy;
}

class Proxy {
  #listener = createServer((client) => this.#accept(client));
  #pairs = new Set();

  /** How many connections clients have made. */
  accepted = 0;

  constructor(target) {
    this.target = target;
  }

  async listen() {
    this.#listener.listen(0, '127.0.0.1');
    await once(this.#listener, 'listening');
    this.port = this.#listener.address().port;
  }

  /** Breaks every connection off, without a word of WebSocket. */
  cut() {
    for (const pair of this.#pairs) pair.forEach((socket) => socket.destroy());
  }

  /** Carries nothing more on the present connections, which stay open. */
  silence() {
    for (const [client, server] of this.#pairs) {
      client.unpipe(server).pause();
      server.unpipe(client).pause();
    }
  }

  close() {
    this.cut();
    this.#listener.close();
  }

  #accept(client) {
    this.accepted += 1;
    const server = connect(this.target, '127.0.0.1');
    const pair = [client, server];
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#pairs.delete(pair);
        pair.forEach((other) => other.destroy());
      });
    }
    client.pipe(server).pipe(client);
  }
}
