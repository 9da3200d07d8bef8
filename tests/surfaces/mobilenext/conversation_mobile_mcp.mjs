// A conversation with mobile-mcp over stdio: `... guard`. It checks each answer, and prints its calls.
// MOBILECLI_PATH, MOBILECLI_FLEET_URL and MOBILECLI_TOKEN have the program, the server and the key.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const [guard] = process.argv.slice(2);
const transport = new StdioClientTransport({
  command: process.execPath,
  args: [`--import=${guard}`, 'node_modules/@mobilenext/mobile-mcp/lib/index.js'],
  env: process.env,
  stderr: 'ignore',
});
const client = new Client({ name: 'test', version: '1' });
const calls = [];

async function call(tool, parameters = {}) {
  calls.push(tool);
  const { content, isError } = await client.callTool({ name: `mobile_${tool}`, arguments: parameters });
  const said = content.map(({ text, mimeType }) => text ?? mimeType).join();
  return isError ? `failed: ${said}` : said;
}

await client.connect(transport);
try {
  assert.ok(JSON.parse(await call('list_remote_devices')).data.devices.length > 2);
  const held = JSON.parse(await call('allocate_remote_device', { platform: 'ios', wait: true }));
  const device = held.data.device.id;
  const { devices } = JSON.parse(await call('list_available_devices'));
  assert.deepEqual(devices.map((each) => each.id), [device]);
  assert.match(await call('take_screenshot', { device }), /image\/png/);
  assert.match(await call('launch_app', { device, packageName: 'com.example.shop' }), /^Launched/);
  assert.match(await call('list_apps', { device }), /com\.example\.shop/);
  assert.match(await call('click_on_screen_at_coordinates', { device, x: 10, y: 20 }), /^Clicked/);
  assert.equal(JSON.parse(await call('release_remote_device', { device })).status, 'ok');
  assert.match(await call('get_orientation', { device }), /^failed: .*not allocated/s);
} finally {
  await client.close();
  try {
    process.kill(JSON.parse(readFileSync(`${process.env.HOME}/.mobilecli/daemon.pid`)).pid);
  } catch {
    // No daemon was left.
  }
}
console.log(JSON.stringify({ calls: calls.join(', ') }));
