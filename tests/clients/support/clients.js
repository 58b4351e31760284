// The application around the server: a backend that signs and publishes with Pusher's server
// library, and clients with pusher-js that ask that backend for their signatures.

import Backend from 'pusher';
import Pusher from 'pusher-js';

import { atEnd } from './cleanup.js';
import { APP } from './server.js';
import { listen } from './waiting.js';

export { Pusher };

let names = 0;

/** A channel name that no other test uses. */
export function channelName(prefix = '') {
  names += 1;
  return `${prefix}channel-${names}`;
}

/** The application's backend. */
export function backend({ port }) {
  return new Backend({
    appId: APP.id,
    key: APP.key,
    secret: APP.secret,
    host: '127.0.0.1',
    port: String(port),
    useTLS: false,
    encryptionMasterKeyBase64: Buffer.alloc(32, 7).toString('base64'),
  });
}

/** The JSON body of a backend's call. */
export async function body(call) {
  return (await call).json();
}

/**
 * pusher-js's options for a server (or a proxy to one).
 *
 * `member` is the `channel_data` in presence channels, `user` the `user_data` at sign-in; options
 * of pusher-js are laid over the rest.
 */
export function clientOptions({ port }, { member, user, ...options } = {}) {
  const signer = backend({ port });
  return {
    wsHost: '127.0.0.1',
    wsPort: port,
    forceTLS: false,
    cluster: '',
    enabledTransports: ['ws'],
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, answer) => {
        const data = channelName.startsWith('presence-') ? member : undefined;
        answer(null, signer.authorizeChannel(socketId, channelName, data));
      },
    },
    userAuthentication: {
      customHandler: ({ socketId }, answer) =>
        answer(null, signer.authenticateUser(socketId, user)),
    },
    ...options,
  };
}

/** A client that ends with the test or suite `t`. */
export function client(t, server, { key = APP.key, ...options } = {}) {
  const pusher = new Pusher(key, clientOptions(server, options));
  atEnd(t, () => pusher.disconnect());
  return pusher;
}

/** Subscribes, and returns the channel when that has succeeded. */
export async function subscribe(pusher, name) {
  const channel = pusher.subscribe(name);
  const succeeded = listen(channel, 'pusher:subscription_succeeded');
  await succeeded.next();
  return channel;
}
