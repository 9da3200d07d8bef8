// A conversation with the driver: `... url`. It checks each answer, and prints its calls.
import assert from 'node:assert/strict';
import { FleetApiClient, MobileNextDriver } from '@mobilewright/driver-mobilenext';

const [apiUrl] = process.argv.slice(2);
const fleet = new FleetApiClient({ apiKey: 'mob_test', apiUrl });
const android = [{ attribute: 'platform', operator: 'EQUALS', value: 'android' }];

const session = await fleet.createSession();
const first = await fleet.allocateDevice(session, android);
assert.equal(first.status, 'in_use');
await fleet.releaseDevice(session, first.info.serial);
const second = await fleet.allocateDevice(session, android);
assert.equal(second.info.serial, first.info.serial);
await fleet.releaseDevice(session, second.info.serial);

// The driver sends a key of its options by https only.
const driver = new MobileNextDriver({ apiUrl, testResult: { uploadReport: 'off' } });
driver.fleetClient.apiKey = 'mob_test';
const given = await driver.allocate({ platform: 'ios' }, []);
await driver.connect({ ...given, url: `${apiUrl.replace('http', 'ws')}/ws?token=mob_test` });
await driver.launchApp('com.example.shop');
assert.equal((await driver.getForegroundApp()).bundleId, 'com.example.shop');
assert.equal((await driver.screenshot({ format: 'png' })).toString('latin1', 1, 4), 'PNG');
await driver.tap(10, 20);
await driver.release(given.deviceId);
await assert.rejects(driver.tap(1, 2), /not allocated/);
await driver.disconnect();

await assert.rejects(fleet.allocateDevice('nope', android), /404: session_not_found/);
await assert.rejects(fleet.allocateDevice(session, []), /400: invalid_filters/);
await assert.rejects(fleet.releaseDevice(session, 'nope'), /404: device_not_found/);
const calls = 'createSession, allocate, release, connect, launchApp, screenshot, tap, disconnect';
console.log(JSON.stringify({ calls }));
