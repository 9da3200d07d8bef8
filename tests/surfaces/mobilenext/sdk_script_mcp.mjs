// Calls tools of mobile-mcp over stdio; prints what each of them said as JSON on the last line.
import { readFileSync } from 'node:fs';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const [guard, calls] = process.argv.slice(2);
const program = 'node_modules/@mobilenext/mobile-mcp/lib/index.js';
const transport = new StdioClientTransport({
  command: process.execPath,
  args: [`--import=${guard}`, program],
  env: process.env,
  stderr: 'ignore',
});
const client = new Client({ name: 'test', version: '1' });
await client.connect(transport);
const said = [];
try {
  for (const [name, parameters] of JSON.parse(calls)) {
    const { content, isError } = await client.callTool({ name, arguments: parameters });
    const texts = content.map(({ text, data, mimeType }) => text ?? `${mimeType} ${data.slice(0, 10)}`);
    said.push(isError ? `failed: ${texts.join()}` : texts.join());
  }
} finally {
  await client.close();
  // A command with devices leaves a process.
  process.kill(JSON.parse(readFileSync(`${process.env.HOME}/.mobilecli/daemon.pid`)).pid);
}
console.log(JSON.stringify(said));
