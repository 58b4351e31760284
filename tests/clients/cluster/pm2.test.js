// Several processes of one host that PM2 starts, and that share a port.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { backend, body, channelName, client, subscribe } from '../support/clients.js';
import { areJoined, environment } from '../support/nodes.js';
import { startPm2 } from '../support/pm2.js';
import { freePort } from '../support/ports.js';
import { APP, BINARY } from '../support/server.js';
import { eventually, listen } from '../support/waiting.js';

/** So many that no process goes without. */
const CLIENTS = 32;

const WAYS = {
  'an ecosystem file': (pm2, env) =>
    pm2.startEcosystem({
      name: 'dunlin',
      script: BINARY,
      args: 'start',
      instances: 2,
      exec_mode: 'fork',
      env,
    }),
  // `-i` means workers of Node.js, which it does not have.
  "soketi's name on the command line, without an interpreter": async (pm2, env) => {
    await pm2.link('soketi');
    await pm2.run(['start', 'soketi', '--interpreter', 'none', '-i', '2', '--', 'start'], env);
  },
};

describe('cluster/pm2: two processes', { concurrency: true }, () => {
  for (const [way, start] of Object.entries(WAYS)) {
    test(`are started by ${way} and are one`, async (t) => {
      const pm2 = await startPm2(t);
      const port = await freePort();
      await start(pm2, {
        ...(await environment(t, 'cluster')),
        HOST: '127.0.0.1',
        PORT: String(port),
        REUSE_PORT: 'true',
        DEFAULT_APP_ID: APP.id,
        DEFAULT_APP_KEY: APP.key,
        DEFAULT_APP_SECRET: APP.secret,
        SHUTDOWN_GRACE_PERIOD: '200',
      });
      const pages = await pm2.metrics();
      assert.equal(pages.length, 2);
      await areJoined(pages);

      const name = channelName('presence-');
      const clients = Array.from({ length: CLIENTS }, (_, n) =>
        client(t, { port }, { member: { user_id: `u${n}` } }),
      );
      const channels = await Promise.all(clients.map((pusher) => subscribe(pusher, name)));
      const dealt = await Promise.all(pages.map(connected));
      t.diagnostic(`${CLIENTS} clients of one port: ${dealt.join(' and ')}`);
      assert.equal(dealt[0] + dealt[1], CLIENTS);
      assert.ok(Math.min(...dealt) > 0, `${dealt}`);
      for (const channel of channels) {
        await eventually('everybody to be seen', () => channel.members.count === CLIENTS);
      }
      const news = channels.map((channel) => listen(channel, 'news'));
      for (let n = 0; n < 20; n += 1) {
        // Each through whichever process accepts it.
        await backend({ port }).trigger(name, 'news', n);
        for (const inbox of news) assert.equal(await inbox.next(), n);
      }
      for (const inbox of news) assert.equal(inbox.size, 0);
      const { users } = await body(backend({ port }).get({ path: `/channels/${name}/users` }));
      assert.equal(users.length, CLIENTS);

      const processes = await pm2.list();
      for (const { pm2_env } of processes) {
        const { status, restart_time, exec_mode } = pm2_env;
        assert.deepEqual([status, restart_time, exec_mode], ['online', 0, 'fork_mode']);
      }
      clients.forEach((pusher) => pusher.disconnect());
      await pm2.run(['kill']);
      for (const { pid } of processes) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    });
  }
});

async function connected(page) {
  const metrics = await (await fetch(`${page}/metrics`)).text();
  const counts = metrics.matchAll(/^soketi_connected(?:\{[^}]*\})? (\d+)/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}
