// Signed-in users: what is sent to them, and watching others (W45 to W49).

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { backend, client } from '../support/clients.js';
import { startServer } from '../support/server.js';
import { listen, state } from '../support/waiting.js';

let server, app;

async function signIn(pusher) {
  const messages = listen(pusher.connection, 'message');
  pusher.signin();
  await messages.nextWhere(
    ({ channel, event }) =>
      channel?.startsWith('#server-to-user-') && event === 'pusher_internal:subscription_succeeded',
  );
}

describe('pusher-js/user', { concurrency: true }, async () => {
  server = await startServer({ after });
  app = backend(server);

  describe('a pusher-js user', { concurrency: true }, () => {
    test('receives on every connection what is sent to it, and nobody else does', async (t) => {
      const ours = [0, 1].map(() => client(t, server, { user: { id: 'ours' } }));
      const other = client(t, server, { user: { id: 'other' } });
      await Promise.all([...ours, other].map(signIn));
      const mails = ours.map((pusher) => listen(pusher.user, 'mail'));
      const strangers = listen(other.user, 'mail');
      await app.sendToUser('ours', 'mail', { subject: 'hello' });
      for (const mail of mails) assert.deepEqual(await mail.next(), { subject: 'hello' });
      await app.sendToUser('other', 'mail', { subject: 'first' });
      assert.deepEqual(await strangers.next(), { subject: 'first' });
    });

    test('has its data, as the backend signed it', async (t) => {
      const user = { id: 'data', user_info: { name: 'Ünal' } };
      const pusher = client(t, server, { user });
      await signIn(pusher);
      assert.deepEqual(pusher.user.user_data, user);
    });

    test('is told that its sign-in is wrong, and stays connected', async (t) => {
      const customHandler = (_, answer) =>
        answer(null, { auth: 'clients-key:00', user_data: '{"id":"x"}' });
      const pusher = client(t, server, { userAuthentication: { customHandler } });
      await state(pusher, 'connected');
      const errors = listen(pusher.connection, 'error');
      pusher.signin();
      assert.equal((await errors.next()).data.code, null);
      assert.equal(pusher.connection.state, 'connected');
      assert.equal(pusher.user.user_data, null);
    });

    test('sees those on its watchlist come online and go offline', async (t) => {
      const here = client(t, server, { user: { id: 'friend-1' } });
      await signIn(here);
      const pusher = client(t, server, {
        user: { id: 'watcher', watchlist: ['friend-1', 'friend-2'] },
      });
      const online = listen(pusher.user.watchlist, 'online');
      const offline = listen(pusher.user.watchlist, 'offline');
      await signIn(pusher);
      assert.deepEqual(await online.next(), { name: 'online', user_ids: ['friend-1'] });
      assert.deepEqual(await offline.next(), { name: 'offline', user_ids: ['friend-2'] });

      const tabs = [0, 1].map(() => client(t, server, { user: { id: 'friend-2' } }));
      for (const tab of tabs) await signIn(tab);
      assert.deepEqual(await online.next(), { name: 'online', user_ids: ['friend-2'] });
      for (const tab of tabs) tab.disconnect();
      assert.deepEqual(await offline.next(), { name: 'offline', user_ids: ['friend-2'] });
      here.disconnect();
      assert.deepEqual(await offline.next(), { name: 'offline', user_ids: ['friend-1'] });
      assert.equal(online.size + offline.size, 0);
    });
  });
});
