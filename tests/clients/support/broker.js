// Brokers that a test starts for itself: on ports of their own, in memory, seen by nobody else.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { atEnd } from './cleanup.js';
import { freePort } from './ports.js';
import { eventually } from './waiting.js';

const PROGRAMS = {
  redis: (port) => ['redis-server', '--port', port, '--bind', '127.0.0.1', '--save', ''],
  nats: (port) => ['nats-server', '--addr', '127.0.0.1', '--port', port],
};

/** Starts a broker of this kind, which ends with the test or suite `t`; resolves to its port. */
export async function startBroker(t, kind) {
  const port = await freePort();
  const [program, ...args] = PROGRAMS[kind](String(port));
  const cwd = await mkdtemp(join(tmpdir(), 'dunlin-broker-'));
  const child = spawn(program, args, { cwd, stdio: 'ignore' });
  const ended = once(child, 'close').catch((error) => [error]);
  atEnd(t, async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(cwd, { recursive: true, force: true });
  });
  const failed = ended.then(([why]) => {
    throw new Error(`${program} does not run: ${why}; on Debian, install ${program}`);
  });
  await Promise.race([eventually(`${program} to listen`, () => listens(port)), failed]);
  return port;
}

async function listens(port) {
  const socket = connect(port, '127.0.0.1');
  const reached = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return reached;
}
