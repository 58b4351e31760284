// A TCP proxy between a client and the server that can do what networks do: break off, go silent,
// lead to another server, and spread clients over several.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

import { atEnd } from './cleanup.js';

/**
 * Starts a proxy to a local port, or to several of them in turn, of which it leaves out those where
 * nobody listens; it ends with the test or suite `t`.
 */
export async function startProxy(t, target) {
  const proxy = new Proxy(target);
  await proxy.listen();
  atEnd(t, () => proxy.close());
  return proxy;
}

class Proxy {
  #listener = createServer((client) => this.#accept(client));
  #pairs = new Set();
  #turn = 0;

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

  async #accept(client) {
    this.accepted += 1;
    client.on('error', () => {});
    const server = await this.#reach();
    if (!server || client.destroyed) {
      client.destroy();
      server?.destroy();
      return;
    }
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

  /** A connection to whoever's turn it is. */
  async #reach() {
    const targets = [this.target].flat();
    for (let tries = 0; tries < targets.length; tries += 1) {
      this.#turn = (this.#turn + 1) % targets.length;
      const server = connect(targets[this.#turn], '127.0.0.1');
      const reached = await once(server, 'connect').catch(() => undefined);
      if (reached) return server;
    }
    return undefined;
  }
}
