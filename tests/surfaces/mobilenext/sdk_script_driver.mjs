// Uses the driver's fleet client; prints the results of one part as JSON on the last line.
import { FleetApiClient } from '@mobilewright/driver-mobilenext';

const [apiUrl, part] = process.argv.slice(2);

// The driver polls every five seconds until a device is ready: here, every 10 ms.
const realTimeout = globalThis.setTimeout;
globalThis.setTimeout = (run, delay, ...rest) => realTimeout(run, delay === 5000 ? 10 : delay, ...rest);

const client = (apiKey = 'mob_test') => new FleetApiClient({ apiKey, apiUrl });
const platform = (value) => [{ attribute: 'platform', operator: 'EQUALS', value }];
const errorOf = async (promise) => {
  try {
    await promise;
    return null;
  } catch (error) {
    return error.message;
  }
};

const parts = {
  async lifecycle() {
    const fleet = client();
    const session = await fleet.createSession();
    const device = await fleet.allocateDevice(session, platform('android'));
    const released = await fleet.releaseDevice(session, device.info.serial);
    return { session, device, released: released === undefined };
  },

  async onDemand() {
    const fleet = client();
    const session = await fleet.createSession();
    const device = await fleet.allocateDevice(session, platform('ios'));
    await fleet.releaseDevice(session, device.info.serial);
    return { session, device };
  },

  async reopening() {
    const fleet = client();
    const session = await fleet.createSession();
    const first = await fleet.allocateDevice(session, platform('android'));
    await fleet.releaseDevice(session, first.info.serial);
    const second = await fleet.allocateDevice(session, platform('ios'));
    return { session, serials: [first.info.serial, second.info.serial] };
  },

  async errors() {
    const fleet = client();
    const session = await fleet.createSession();
    const device = await fleet.allocateDevice(session, platform('ios'));
    const other = await fleet.createSession();
    const messages = {
      key: await errorOf(client('unknown').createSession()),
      filters: await errorOf(fleet.allocateDevice(other, [])),
      held: await errorOf(fleet.allocateDevice(other, platform('ios'))),
      kind: await errorOf(fleet.allocateDevice(other, platform('windows'))),
      session: await errorOf(fleet.allocateDevice('nope', platform('ios'))),
      device: await errorOf(fleet.releaseDevice(session, 'nope')),
    };
    await fleet.releaseDevice(session, device.info.serial);
    return {
      ...messages,
      twice: await errorOf(fleet.releaseDevice(session, device.info.serial)),
    };
  },
};

console.log(JSON.stringify(await parts[part]()));
