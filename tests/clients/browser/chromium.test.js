// pusher-js in a real browser, whose WebSocket answers pings by itself, sends an Origin and asks an
// application's endpoint for signatures.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, describe, test } from 'node:test';

import { chromium } from 'playwright-core';

import { atEnd } from '../support/cleanup.js';
import { backend, channelName } from '../support/clients.js';
import { startProxy } from '../support/proxy.js';
import { startServer } from '../support/server.js';

let server, app, site, browser;

const PUSHER_JS = 'pusher-js/dist/web/pusher-with-encryption.min.js';
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** The application: a page, pusher-js, and the endpoint that signs subscriptions. */
async function startSite(t) {
  const files = {
    '/': ['text/html', await readFile(new URL('page.html', import.meta.url))],
    '/pusher.js': ['text/javascript', await readFile(new URL(import.meta.resolve(PUSHER_JS)))],
  };
  const signer = backend(server);
  const listener = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://site');
    if (pathname === '/auth') {
      let form = '';
      for await (const chunk of request) form += chunk;
      const { socket_id, channel_name, user } = Object.fromEntries(new URLSearchParams(form));
      const member = channel_name.startsWith('presence-') ? { user_id: user } : undefined;
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify(signer.authorizeChannel(socket_id, channel_name, member)));
    } else if (files[pathname]) {
      const [type, content] = files[pathname];
      response.setHeader('Content-Type', type);
      response.end(content);
    } else {
      response.writeHead(404).end();
    }
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  atEnd(t, () => listener.close());
  return { port: listener.address().port };
}

/** A tab of its own in which pusher-js connects to the server (or a proxy to one). */
async function open(t, { port }, { user = 'somebody', host = '127.0.0.1' } = {}) {
  const context = await browser.newContext();
  atEnd(t, () => context.close());
  const page = await context.newPage();
  await page.goto(`http://${host}:${site.port}/?port=${port}&user=${user}`);
  return page;
}

/** Resolves when the page has seen all of this, in this order. */
function saw(page, ...wanted) {
  return page.waitForFunction((wanted) => {
    let next = 0;
    for (const item of seen) {
      if (JSON.stringify(item) === JSON.stringify(wanted[next])) next += 1;
    }
    return next === wanted.length;
  }, wanted);
}

function join(page, name) {
  return page.evaluate((name) => join(name), name);
}

describe('browser', { concurrency: true }, async () => {
  server = await startServer({ after });
  app = backend(server);
  site = await startSite({ after });
  // A profile of its own in a new folder, and nothing that calls out.
  browser = await chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  after(() => browser.close());

  describe('pusher-js in Chromium', { concurrency: true }, () => {
    for (const kind of ['', 'private-', 'private-encrypted-', 'cache-']) {
      test(`receives in '${kind}…'`, async (t) => {
        const page = await open(t, server);
        const name = channelName(kind);
        await join(page, name);
        await page.waitForFunction((name) => pusher.channel(name).subscribed, name);
        await app.trigger(name, 'news', 'grüße 🦀');
        await saw(page, [name, 'news', 'grüße 🦀']);
      });
    }

    test('sees members come and go when tabs open and close', async (t) => {
      const name = channelName('presence-');
      const ada = await open(t, server, { user: 'ada' });
      await join(ada, name);
      await saw(ada, [name, 'pusher:subscription_succeeded', 1]);
      const bob = await open(t, server, { user: 'bob' });
      await join(bob, name);
      await saw(bob, [name, 'pusher:subscription_succeeded', 2]);
      await saw(ada, [name, 'pusher:member_added', 'bob']);
      await bob.close();
      await saw(ada, [name, 'pusher:member_added', 'bob'], [name, 'pusher:member_removed', 'bob']);
    });

    test('sends client events', async (t) => {
      const name = channelName('private-');
      const [one, other] = [await open(t, server), await open(t, server)];
      for (const page of [one, other]) {
        await join(page, name);
        await page.waitForFunction((name) => pusher.channel(name).subscribed, name);
      }
      await one.evaluate((name) => pusher.channel(name).trigger('client-hi', { id: 'one' }), name);
      await saw(other, [name, 'client-hi', 'one']);
    });

    test('resubscribes after a cut', async (t) => {
      const proxy = await startProxy(t, server.port);
      const page = await open(t, proxy);
      const names = [channelName(), channelName('private-encrypted-')];
      for (const name of names) {
        await join(page, name);
        await page.waitForFunction((name) => pusher.channel(name).subscribed, name);
      }
      const socket = await page.evaluate(() => pusher.connection.socket_id);
      proxy.cut();
      await page.waitForFunction(
        ([socket, names]) =>
          pusher.connection.socket_id !== socket &&
          names.every((name) => pusher.channel(name).subscribed),
        [socket, names],
      );
      for (const name of names) {
        await app.trigger(name, 'news', 'again');
        await saw(page, [name, 'news', 'again']);
      }
    });

    test('may come from the origins that the app allows, and from no other', async (t) => {
      const choosy = await startServer(t, {
        DEFAULT_APP_ALLOWED_ORIGINS: JSON.stringify([`http://localhost:${site.port}`]),
      });
      const allowed = await open(t, choosy, { host: 'localhost' });
      await allowed.waitForFunction(() => pusher.connection.state === 'connected');
      const refused = await open(t, choosy);
      await saw(refused, ['error', 4009]);
      await refused.waitForFunction(() => pusher.connection.state === 'disconnected');
    });
  });
});
