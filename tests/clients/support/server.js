// Starts the server under test: a process of its own on a port that the system chooses.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { atEnd } from './cleanup.js';

/** The program under test. */
export const BINARY =
  process.env.DUNLIN_BIN ?? fileURLToPath(new URL('../../../target/debug/dunlin', import.meta.url));

export const APP = { id: 'clients', key: 'clients-key', secret: 'clients-secret' };

/**
 * Starts a server that ends with the test or suite `t`.
 *
 * `options` are environment variables; `openFiles` limits the process's file descriptors.
 */
export async function startServer(t, options = {}, { openFiles } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'dunlin-clients-'));
  const env = {
    PATH: process.env.PATH,
    HOST: '127.0.0.1',
    PORT: '0',
    DEFAULT_APP_ID: APP.id,
    DEFAULT_APP_KEY: APP.key,
    DEFAULT_APP_SECRET: APP.secret,
    DEFAULT_APP_ENABLE_CLIENT_MESSAGES: 'true',
    SHUTDOWN_GRACE_PERIOD: '500',
    ...options,
  };
  const command = openFiles
    ? ['sh', '-c', `ulimit -n ${openFiles} && exec "$0" start`, BINARY]
    : [BINARY, 'start'];
  // Its working folder is an empty one: it reads a `.env` from there.
  const child = spawn(command[0], command.slice(1), { env, cwd: folder });
  const server = new Server(child, folder);
  atEnd(t, () => server.stop());
  await server.ready();
  return server;
}

class Server {
  #child;
  #folder;
  #exited;
  #stderr = '';

  constructor(child, folder) {
    this.#child = child;
    this.#folder = folder;
    child.stderr.setEncoding('utf8').on('data', (text) => (this.#stderr += text));
    this.#exited = once(child, 'close').catch((error) => [error]);
  }

  /** Reads where it listens from what it says at start, and where its metrics are, if anywhere. */
  async ready() {
    const banner = (async () => {
      let port;
      for await (const line of createInterface({ input: this.#child.stdout })) {
        port ??= line.match(/listening\s+https?:\/\/[^\s:]+:(\d+)/)?.[1];
        this.metrics ??= line.match(/metrics\s+(http:\/\/[^\s/]+)/)?.[1];
        if (port && line.includes('shards')) return Number(port);
      }
      await this.#exited;
      throw new Error(`${BINARY} did not start:\n${this.#stderr}`);
    })();
    const failed = this.#exited.then(([error]) => {
      if (error instanceof Error) throw new Error(`cannot start ${BINARY}: ${error.message}`);
      return banner;
    });
    this.port = await Promise.race([banner, failed]);
    this.url = `http://127.0.0.1:${this.port}`;
  }

  /** Asks it to leave, as a service manager does. */
  terminate() {
    this.#child.kill('SIGTERM');
    return this.#exited;
  }

  /** Ends it as a crash does. */
  kill() {
    this.#child.kill('SIGKILL');
    return this.#exited;
  }

  /** Ends it; fails if it went wrong on the way. */
  async stop() {
    const [code, signal] = await this.terminate();
    await rm(this.#folder, { recursive: true, force: true });
    const warnings = this.#stderr.split('\n').filter((line) => line && !line.includes(' INFO '));
    if (warnings.length > 0) console.error(['what the server said:', ...warnings].join('\n'));
    if (/panic/i.test(this.#stderr)) throw new Error('the server panicked');
    if (code !== 0 && signal !== 'SIGKILL') {
      throw new Error(`the server ended with code ${code}, signal ${signal}`);
    }
  }
}
