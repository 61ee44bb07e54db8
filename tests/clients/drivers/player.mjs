// Plays a journey (see tests/clients/journey.py) with a TypeScript client.
import { readFileSync } from 'node:fs';

export const task = () => JSON.parse(readFileSync(process.argv[2], 'utf8'));

function filled(value, kept) {
  if (Array.isArray(value)) return value.map((item) => filled(item, kept));
  if (value && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, kept)]));
  if (typeof value === 'string' && /^\$[a-z]+$/.test(value)) return kept[value.slice(1)];
  return value;
}

const picked = (content, path) => path.split('.').reduce((found, step) => found[step], content);

async function read(client, uri, report) {
  const { contents } = await client.readResource({ uri });
  if (!contents[0]?.text) throw new Error(`${uri} is empty`);
  report.read.push(uri);
}

async function complete(client, { ref, argument, offers }, report) {
  const kind = ref.includes('://') ? { type: 'ref/resource', uri: ref } : { type: 'ref/prompt', name: ref };
  const { completion } = await client.complete({ ref: kind, argument: { name: argument, value: '' } });
  if (!completion.values.includes(String(offers)))
    throw new Error(`${ref}: ${offers} is not among the offers ${completion.values}`);
  report.completed.push(ref);
}

async function call(client, tool, args) {
  const result = await client.callTool({ name: tool, arguments: args });
  if (result.isError || !result.content.length || !result.structuredContent)
    throw new Error(`${tool}: ${JSON.stringify(result)}`);
  return result.structuredContent;
}

export async function play(client, journey) {
  const { prompts } = await client.listPrompts();
  const report = {
    // Once listed, callTool checks structured content against the schema and throws where it does not fit.
    tools: (await client.listTools()).tools.map((tool) => tool.name),
    resources: (await client.listResources()).resources.map((resource) => resource.uri),
    templates: (await client.listResourceTemplates()).resourceTemplates.map((found) => found.uriTemplate),
    prompts: prompts.map((prompt) => prompt.name),
    called: [],
    read: [],
    got: [],
    completed: [],
  };
  const kept = {};
  for (const step of journey) {
    if (step.uri) {
      await read(client, step.uri.replace(/\$([a-z]+)/g, (_, name) => kept[name]), report);
      continue;
    }
    if (step.ref) {
      await complete(client, filled(step, kept), report);
      continue;
    }
    const content = await call(client, step.tool, filled(step.arguments, kept));
    report.called.push(step.tool);
    for (const [name, path] of Object.entries(step.keep)) kept[name] = picked(content, path);
  }
  for (const uri of report.resources) await read(client, uri, report);
  for (const { name, arguments: taken } of prompts) {
    const given = Object.fromEntries((taken ?? []).map((arg) => [arg.name, arg.name === 'language' ? 'ru' : '1']));
    const { messages } = await client.getPrompt({ name, arguments: given });
    if (!messages.length) throw new Error(`${name} has no message`);
    report.got.push(name);
  }
  return report;
}
