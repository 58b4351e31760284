// A backend that is told of what happens: it checks every webhook with Pusher's server library.

import { once } from 'node:events';
import { createServer } from 'node:http';

import Backend from 'pusher';

import { atEnd } from './cleanup.js';
import { APP } from './server.js';
import { eventually } from './waiting.js';

/** Starts a target that ends with the test or suite `t`. */
export async function startTarget(t) {
  const target = new Target();
  await target.listen();
  atEnd(t, () => target.close());
  return target;
}

class Target {
  /** Every event that was taken in, in order. */
  events = [];
  /** Every body that was taken in. */
  bodies = [];
  /** What went wrong. */
  complaints = [];
  /** How often it was told something, whatever it answered. */
  attempts = 0;
  /** The status of the answers. */
  status = 200;

  #app = new Backend({ appId: APP.id, key: APP.key, secret: APP.secret, host: 'unused' });
  #server = createServer((request, response) => this.#take(request, response));

  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${this.#server.address().port}/hook`;
  }

  /** The environment of a server whose app tells this target of these events. */
  environment(...event_types) {
    return { DEFAULT_APP_WEBHOOKS: JSON.stringify([{ url: this.url, event_types }]) };
  }

  /** Waits until so many events have come. */
  async holds(count) {
    await eventually(`${count} webhook events`, () => this.events.length >= count);
    return this.events;
  }

  async #take(request, response) {
    let rawBody = '';
    this.attempts += 1;
    for await (const piece of request.setEncoding('utf8')) rawBody += piece;
    const webhook = this.#app.webhook({ headers: request.headers, rawBody });
    if (!webhook.isValid()) this.complaints.push({ headers: request.headers, rawBody });
    if (this.status === 200) {
      this.bodies.push(rawBody);
      this.events.push(...webhook.getEvents());
    }
    response.writeHead(this.status).end();
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
