// The client of the TypeScript SDK 1.x.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { play, task } from './player.mjs';
import { Person, connected } from './signing_in.mjs';

const { server, journey } = task();
const person = server.browser && new Person(server.browser);
const client = new Client({ name: 'typescript1', version: '1' });
// This client does not tell the protocol that it agreed on, but to its transport.
let protocol;
function open() {
  const transport = server.url
    ? new StreamableHTTPClientTransport(new URL(server.url), { authProvider: person })
    : new StdioClientTransport(server);
  const told = transport.setProtocolVersion?.bind(transport);
  transport.setProtocolVersion = (version) => {
    protocol = version;
    told?.(version);
  };
  return transport;
}
await connected(client, person, open, (transport, returned) => transport.finishAuth(returned.get('code')));
const report = await play(client, journey);
console.log(JSON.stringify({ protocol, ...report }));
await client.close();
