// Nodes that are one cluster, which nobody else belongs to.

import { startBroker } from './broker.js';
import { freePort } from './ports.js';
import { startServer } from './server.js';
import { eventually } from './waiting.js';

let clusters = 0;

/** The environment of nodes that `adapter` joins. */
export async function environment(t, adapter) {
  const env = {
    ADAPTER_DRIVER: adapter,
    METRICS_ENABLED: 'true',
    METRICS_HOST: '127.0.0.1',
    METRICS_SERVER_PORT: '0',
  };
  if (adapter === 'cluster') {
    clusters += 1;
    Object.assign(env, {
      CLUSTER_HOST: '127.0.0.1',
      CLUSTER_BROADCAST_ADDRESS: '127.255.255.255',
      CLUSTER_PORT: String(await freePort()),
      // Another test may be given the same free port.
      CLUSTER_PREFIX: `${process.pid}-${clusters}`,
    });
  } else if (adapter === 'redis') {
    Object.assign(env, {
      DB_REDIS_HOST: '127.0.0.1',
      DB_REDIS_PORT: String(await startBroker(t, 'redis')),
    });
  } else if (adapter === 'nats') {
    env.ADAPTER_NATS_SERVERS = JSON.stringify([`127.0.0.1:${await startBroker(t, 'nats')}`]);
  }
  return env;
}

/** Starts nodes that `adapter` joins; they end with the test or suite `t`. */
export async function startNodes(t, adapter, count = 3, more = {}) {
  const env = { ...(await environment(t, adapter)), ...more };
  const nodes = await Promise.all(Array.from({ length: count }, () => startServer(t, env)));
  await areJoined(nodes.map(({ metrics }) => metrics));
  return nodes;
}

/** Waits until every node, known by the address of its metrics, knows all others to be ready. */
export async function areJoined(pages) {
  const joined = async (page) => {
    const { peers } = await (await fetch(`${page}/cluster`)).json();
    return peers.filter(({ ready }) => ready).length === pages.length - 1;
  };
  for (const page of pages) await eventually('the nodes to be joined', () => joined(page));
}
