// Waiting for what clients report, never for time to pass.

const GUARD_MS = 30_000;

/** The values that a callback was called with, in order. */
export class Inbox {
  #name;
  #values = [];
  #waiting = [];

  constructor(name) {
    this.#name = name;
  }

  /** The callback. */
  put = (value) => {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(value);
    else this.#values.push(value);
  };

  /** How many values have come that nobody has taken. */
  get size() {
    return this.#values.length;
  }

  /** The next value; fails if it does not come. */
  next() {
    if (this.#values.length > 0) return Promise.resolve(this.#values.shift());
    return guarded(`${this.#name} to come`, (resolve) => this.#waiting.push(resolve));
  }

  /** The next value that satisfies `wanted`; those before it are dropped. */
  async nextWhere(wanted) {
    for (;;) {
      const value = await this.next();
      if (wanted(value)) return value;
    }
  }
}

/** Collects what an emitter with `bind` (a channel, a connection, a user) emits. */
export function listen(emitter, event) {
  const inbox = new Inbox(`'${event}' on ${emitter.name ?? emitter.constructor.name}`);
  emitter.bind(event, inbox.put);
  return inbox;
}

/** Resolves to the first of some states that a client's connection is in. */
export function state(pusher, ...wanted) {
  const { connection } = pusher;
  if (wanted.includes(connection.state)) return Promise.resolve(connection.state);
  return guarded(`a connection to be ${wanted.join(' or ')}`, (resolve) => {
    const look = ({ current }) => {
      if (!wanted.includes(current)) return;
      connection.unbind('state_change', look);
      resolve(current);
    };
    connection.bind('state_change', look);
  });
}

/** Asks again and again until `question` answers something true. */
export async function eventually(what, question) {
  const deadline = Date.now() + GUARD_MS;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${GUARD_MS} ms for ${what}`);
    await pause(20);
  }
}

/** Lets time pass in which nothing may happen; for tests of what must not come. */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function guarded(what, start) {
  const late = new Error(`waited ${GUARD_MS} ms for ${what}`);
  return new Promise((resolve, reject) => {
    const guard = setTimeout(() => reject(late), GUARD_MS);
    start((value) => {
      clearTimeout(guard);
      resolve(value);
    });
  });
}
