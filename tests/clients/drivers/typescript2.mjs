// The client of the TypeScript SDK 2.x. It begins with the older protocols unless it is told to find out.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { play, task } from './player.mjs';
import { Person, connected } from './signing_in.mjs';

const { server, era, journey } = task();
const person = server.browser && new Person(server.browser);
const open = () =>
  server.url
    ? new StreamableHTTPClientTransport(new URL(server.url), { authProvider: person })
    : new StdioClientTransport(server);
const client = new Client(
  { name: 'typescript2', version: '1' },
  { versionNegotiation: { mode: era } },
);
await connected(client, person, open, (transport, returned) => transport.finishAuth(returned));
const report = await play(client, journey);
console.log(JSON.stringify({ protocol: client.getNegotiatedProtocolVersion(), ...report }));
await client.close();
