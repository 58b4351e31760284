// Ports that nobody else has at this moment.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A local port that is free for TCP and UDP. */
export async function freePort() {
  for (;;) {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address();
    const socket = createSocket('udp4').bind(port, '127.0.0.1');
    const free = await once(socket, 'listening').then(
      () => true,
      () => false,
    );
    if (free) socket.close();
    listener.close();
    await once(listener, 'close');
    if (free) return port;
  }
}
