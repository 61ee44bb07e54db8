// `mcpdo` of the Inspector: its daemon keeps the connection, and its commands use it. They run in this one process, since
// starting Node would take most of the time.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command, pairs } from './commands.mjs';
import { play, task } from './player.mjs';

const { server, era, journey } = task();
// Not below the home: the path of a socket has a hundred characters at most.
const folder = mkdtempSync(join(tmpdir(), 'bi-mcp-'));
Object.assign(process.env, {
  MCP_INSPECTOR_DAEMON_DIR: folder,
  MCP_INSPECTOR_DAEMON_TOKEN: randomUUID(),
  MCP_INSPECTOR_SECRET_STORE: 'file',
  MCP_ALLOW_DEFAULT_CONNECTION: '1',
});
const { runMcp } = await import('@modelcontextprotocol/inspector/clients/mcpdo/build/mcp-bin.js');

const run = (...args) => command(runMcp, '--format', 'json', ...args);
const client = {
  listTools: () => run('tools/list'),
  listResources: () => run('resources/list'),
  listResourceTemplates: () => run('resources/templates/list'),
  listPrompts: () => run('prompts/list'),
  callTool: ({ name, arguments: args }) => run('tools/call', name, '--tool-args-json', JSON.stringify(args)),
  readResource: ({ uri }) => run('resources/read', uri),
  getPrompt: ({ name, arguments: args }) => run('prompts/get', name, '--prompt-args', ...pairs(args)),
  complete: async ({ ref, argument }) => {
    const what = ['--complete-ref-type', ref.type, '--complete-ref', ref.uri ?? ref.name];
    const typed = ['--complete-arg-name', argument.name, '--complete-arg-value', argument.value];
    return { completion: await run('prompts/complete', ...what, ...typed) };
  },
};

// Nobody is here to answer a question.
const options = ['--era', era, '--elicit', 'off'];
const target = server.url
  ? [server.url]
  : [...pairs(server.env).flatMap((pair) => ['-e', pair]), '--', server.command, ...server.args];
try {
  await run('connect', ...options, ...target);
  const { protocolVersion: protocol } = await run('connections/show');
  const report = await play(client, journey);
  console.log(JSON.stringify({ protocol, ...report }));
} finally {
  await run('daemon', 'stop');
  rmSync(folder, { recursive: true });
}
process.exit(0);
