// A person who signs in, as both TypeScript SDKs want it: the test's browser follows the pages and says where it ended.
import { randomUUID } from 'node:crypto';

// Nobody listens here: the browser stops at this address.
const RETURN = 'http://127.0.0.1:41765/callback';

export class Person {
  constructor(browser) {
    this.browser = browser;
  }
  get redirectUrl() {
    return RETURN;
  }
  get clientMetadata() {
    return {
      client_name: 'Client of a test',
      redirect_uris: [RETURN],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }
  state() {
    return (this.expected = randomUUID());
  }
  clientInformation() {
    return this.client;
  }
  saveClientInformation(client) {
    this.client = client;
  }
  tokens() {
    return this.kept;
  }
  saveTokens(tokens) {
    this.kept = tokens;
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  codeVerifier() {
    return this.verifier;
  }
  async redirectToAuthorization(address) {
    const answer = await fetch(this.browser, { method: 'POST', body: address.href });
    const ended = new URL(await answer.text());
    if (!ended.href.startsWith(RETURN)) throw new Error(`The sign-in ended at ${ended}`);
    this.returned = ended.searchParams;
    if (this.returned.get('state') !== this.expected) throw new Error('The state is another');
  }
}

// Connects; where the server wants a sign-in, signs in first. `open` makes a transport, `finish` brings it the code.
export async function connected(client, person, open, finish) {
  let transport = open();
  try {
    await client.connect(transport);
  } catch (error) {
    if (!person?.returned) throw error;
    await finish(transport, person.returned);
    transport = open();
    await client.connect(transport);
  }
  return transport;
}
