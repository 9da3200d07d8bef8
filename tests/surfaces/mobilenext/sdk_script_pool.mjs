// Mobilewright's own pool of devices, on its driver: a device comes too late for the first worker.
import { MobileNextDriver } from '@mobilewright/driver-mobilenext';

const [apiUrl] = process.argv.slice(2);
const inside = 'node_modules/mobilewright/dist/device-pool/application/device-pool.js';
const { DevicePool } = await import(`file://${process.cwd()}/${inside}`);

// The driver sends a key by https only: its client of the fleet gets both here.
const driver = new MobileNextDriver({ apiUrl, testResult: { uploadReport: 'off' } });
driver.fleetClient.apiKey = 'mob_test';

// The first device is ready only after the pool has given up waiting for it.
let giveUp;
const lost = new Promise((resolve) => {
  giveUp = resolve;
});
let isFirst = true;
const late = {
  async allocate(criteria, taken, signal) {
    const device = await driver.allocate(criteria, taken, isFirst ? undefined : signal);
    if (isFirst) {
      isFirst = false;
      await lost;
    }
    return device;
  },
  async release(id) {
    await driver.release(id);
    released.push(id);
  },
};
const released = [];

const pool = new DevicePool({ driver: late, maxSlots: 1, allocationTimeoutMs: 1000 });
const first = await pool.allocate({ platform: 'android' }).catch((error) => error.message);
giveUp();
while (!released.length) {
  await new Promise((resolve) => setTimeout(resolve, 5));
}
const workers = [];
for (let count = 0; count < 3; count += 1) {
  const given = await pool.allocate({ platform: 'android' });
  workers.push(given.deviceId);
  await pool.release(given.allocationId);
}
await pool.shutdown();
console.log(JSON.stringify({ first, late: released[0], workers, released: released.length }));
