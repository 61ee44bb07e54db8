// The Inspector's command line, over HTTP: each command connects anew. They run in this one process, since starting Node
// would take most of the time.
import { command, pairs } from './commands.mjs';
import { play, task } from './player.mjs';

const { server, era, journey } = task();
const { runCli } = await import('@modelcontextprotocol/inspector/clients/cli/build/index.js');
const reach = ['--server-url', server.url, '--transport', 'http', '--protocol-era', era];

async function run(method, ...options) {
  const said = await command(runCli, '--method', method, '--format', 'json', ...reach, ...options);
  return said.result;
}

const client = {
  listTools: () => run('tools/list', '--strict'),
  listResources: () => run('resources/list'),
  listResourceTemplates: () => run('resources/templates/list'),
  listPrompts: () => run('prompts/list'),
  callTool: ({ name, arguments: args }) =>
    run('tools/call', '--tool-name', name, '--tool-args-json', JSON.stringify(args)),
  readResource: ({ uri }) => run('resources/read', '--uri', uri),
  getPrompt: ({ name, arguments: args }) =>
    run('prompts/get', '--prompt-name', name, '--prompt-args', ...pairs(args)),
};
console.log(JSON.stringify(await play(client, journey)));
process.exit(0);
