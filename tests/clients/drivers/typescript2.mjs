// The client of the TypeScript SDK 2.x. It begins with the older protocols unless it is told to find out.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { play, task } from './player.mjs';

const { server, era, journey } = task();
const transport = server.url
  ? new StreamableHTTPClientTransport(new URL(server.url))
  : new StdioClientTransport(server);
const client = new Client(
  { name: 'typescript2', version: '1' },
  { versionNegotiation: { mode: era } },
);
await client.connect(transport);
const report = await play(client, journey);
console.log(JSON.stringify({ protocol: client.getNegotiatedProtocolVersion(), ...report }));
await client.close();
