// Scenes with the driver's fleet client. The last line printed is what happened, as JSON.
import { FleetApiClient } from '@mobilewright/driver-mobilenext';

const [apiUrl, scene] = process.argv.slice(2);

// The driver asks every five seconds whether a device is ready: here it does so at once.
const realTimeout = globalThis.setTimeout;
globalThis.setTimeout = (run, delay, ...rest) => realTimeout(run, delay === 5000 ? 10 : delay, ...rest);

const client = (apiKey = 'mob_test') => new FleetApiClient({ apiKey, apiUrl });
const platform = (value) => [{ attribute: 'platform', operator: 'EQUALS', value }];
const refusal = async (promise) => {
  try {
    await promise;
    return null;
  } catch (error) {
    return error.message;
  }
};

const scenes = {
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

  async refusals() {
    const fleet = client();
    const session = await fleet.createSession();
    const device = await fleet.allocateDevice(session, platform('ios'));
    const other = await fleet.createSession();
    const said = {
      key: await refusal(client('nobody').createSession()),
      filters: await refusal(fleet.allocateDevice(other, [])),
      held: await refusal(fleet.allocateDevice(other, platform('ios'))),
      kind: await refusal(fleet.allocateDevice(other, platform('windows'))),
      session: await refusal(fleet.allocateDevice('nope', platform('ios'))),
      device: await refusal(fleet.releaseDevice(session, 'nope')),
    };
    await fleet.releaseDevice(session, device.info.serial);
    return {
      ...said,
      twice: await refusal(fleet.releaseDevice(session, device.info.serial)),
      released: await refusal(fleet.allocateDevice(session, platform('ios'))),
    };
  },
};

console.log(JSON.stringify(await scenes[scene]()));
