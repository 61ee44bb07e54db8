// Runs a command of a program that is imported, and reads the JSON that it prints. Throws where the command would end with
// an error.
export async function command(main, ...args) {
  const { write } = process.stdout;
  let said = '';
  process.stdout.write = (chunk, ...rest) => {
    said += chunk;
    rest.find((last) => typeof last === 'function')?.();
    return true;
  };
  try {
    await main(['node', 'command', ...args]);
  } finally {
    process.stdout.write = write;
  }
  return JSON.parse(said);
}

export const pairs = (values) => Object.entries(values).map((pair) => pair.join('='));
