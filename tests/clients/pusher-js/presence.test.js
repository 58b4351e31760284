// Who is there, as pusher-js sees it (W29 to W34).

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { channelName, client, subscribe } from '../support/clients.js';
import { startServer } from '../support/server.js';
import { listen, state } from '../support/waiting.js';

let server;

function members(channel) {
  const found = [];
  channel.members.each(({ id, info }) => found.push({ id, info }));
  return found.sort((a, b) => a.id.localeCompare(b.id));
}

describe('pusher-js/presence', { concurrency: true }, async () => {
  server = await startServer({ after });

  describe('pusher-js in a presence channel', { concurrency: true }, () => {
    test('sees members come and go', async (t) => {
      const name = channelName('presence-');
      const ada = await subscribe(
        client(t, server, { member: { user_id: 'ada', user_info: { name: 'Ada' } } }),
        name,
      );
      assert.deepEqual(members(ada), [{ id: 'ada', info: { name: 'Ada' } }]);
      const [added, removed] = [
        listen(ada, 'pusher:member_added'),
        listen(ada, 'pusher:member_removed'),
      ];

      const guest = client(t, server, { member: { user_id: 'bob', user_info: { name: 'Bob' } } });
      const bob = await subscribe(guest, name);
      assert.deepEqual(await added.next(), { id: 'bob', info: { name: 'Bob' } });
      assert.equal(bob.members.count, 2);
      assert.equal(bob.members.myID, 'bob');
      assert.deepEqual(bob.members.me, { id: 'bob', info: { name: 'Bob' } });
      assert.deepEqual(members(bob), members(ada));

      guest.unsubscribe(name);
      assert.deepEqual(await removed.next(), { id: 'bob', info: { name: 'Bob' } });
      assert.equal(ada.members.count, 1);
    });

    test('sees a member without info', async (t) => {
      const name = channelName('presence-');
      const first = await subscribe(client(t, server, { member: { user_id: 'first' } }), name);
      const added = listen(first, 'pusher:member_added');
      const second = await subscribe(client(t, server, { member: { user_id: 'second' } }), name);
      assert.equal((await added.next()).id, 'second');
      assert.deepEqual(
        members(second).map(({ id }) => id),
        ['first', 'second'],
      );
      assert.equal(second.members.count, 2);
      assert.equal(second.members.me.id, 'second');
    });

    test('takes the ids 1 and "1" for one member', async (t) => {
      const name = channelName('presence-');
      const watcher = await subscribe(client(t, server, { member: { user_id: 'watcher' } }), name);
      const [added, removed] = [
        listen(watcher, 'pusher:member_added'),
        listen(watcher, 'pusher:member_removed'),
      ];
      const info = { n: 1 };
      const number = client(t, server, { member: { user_id: 1, user_info: info } });
      const channel = await subscribe(number, name);
      assert.deepEqual(await added.next(), { id: 1, info });
      assert.equal(channel.members.myID, 1);
      assert.deepEqual(channel.members.me, { id: 1, info });
      assert.deepEqual(
        members(channel).map(({ id }) => id),
        ['1', 'watcher'],
      );

      const text = client(t, server, { member: { user_id: '1', user_info: info } });
      assert.equal((await subscribe(text, name)).members.count, 2);
      text.disconnect();
      const last = client(t, server, { member: { user_id: 'last' } });
      await subscribe(last, name);
      // Neither the second connection's coming nor its going was worth a word.
      assert.equal((await added.next()).id, 'last');
      assert.equal(removed.size, 0);
      assert.equal(watcher.members.count, 3);
    });

    test('sees a user leave with its last connection only', async (t) => {
      const name = channelName('presence-');
      const watcher = await subscribe(client(t, server, { member: { user_id: 'watcher' } }), name);
      const [added, removed] = [
        listen(watcher, 'pusher:member_added'),
        listen(watcher, 'pusher:member_removed'),
      ];
      const tabs = [0, 1].map(() => client(t, server, { member: { user_id: 'reader' } }));
      await Promise.all(tabs.map((tab) => subscribe(tab, name)));
      assert.equal((await added.next()).id, 'reader');
      tabs[0].disconnect();
      tabs[1].unsubscribe(name);
      assert.equal((await removed.next()).id, 'reader');
      assert.equal(added.size + removed.size, 0);
    });

    test('is there as the user that it is signed in as, without channel_data', async (t) => {
      const user = { id: 'signed-in', user_info: { name: 'S' } };
      const pusher = client(t, server, { user });
      await state(pusher, 'connected');
      pusher.signin();
      const channel = await subscribe(pusher, channelName('presence-'));
      assert.deepEqual(channel.members.me, { id: 'signed-in', info: { name: 'S' } });
    });

    test("is refused above the limit of members, but not a member's second tab", async (t) => {
      const small = await startServer(t, { PRESENCE_MAX_MEMBERS: '1' });
      const name = channelName('presence-');
      await subscribe(client(t, small, { member: { user_id: 'a' } }), name);
      const full = client(t, small, { member: { user_id: 'b' } }).subscribe(name);
      const refused = await listen(full, 'pusher:subscription_error').next();
      assert.equal(refused.type, 'LimitReached');
      await subscribe(client(t, small, { member: { user_id: 'a' } }), name);
    });
  });
});
