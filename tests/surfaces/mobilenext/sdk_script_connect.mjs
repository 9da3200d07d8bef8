// Drives a device over the driver's WebSocket; prints what each call gave as JSON on the last line.
import { MobileNextDriver } from '@mobilewright/driver-mobilenext';

const [apiUrl] = process.argv.slice(2);
const url = `${apiUrl.replace('http', 'ws')}/ws`;

// The driver polls every five seconds until a device is ready: here, every 10 ms.
const realTimeout = globalThis.setTimeout;
globalThis.setTimeout = (run, delay, ...rest) => realTimeout(run, delay === 5000 ? 10 : delay, ...rest);

const driver = new MobileNextDriver({ apiKey: 'mob_test&?%', apiUrl, testResult: { uploadReport: 'off' } });
const unknown = new MobileNextDriver({ apiKey: 'unknown', apiUrl, testResult: { uploadReport: 'off' } });
const errorOf = (promise) => promise.then(() => null, (error) => error.message);

const given = await driver.allocate({ platform: 'ios', deviceNamePattern: 'iPhone' }, []);
await driver.connect({ ...given, url });
const shown = { given, listed: await driver.listDevices({ state: 'online' }) };
await driver.launchApp('com.example.shop', { locales: ['fr'] });
shown.apps = await driver.listApps();
shown.foreground = await driver.getForegroundApp();
shown.elements = await driver.getViewHierarchy();
shown.screen = await driver.getScreenSize();
await driver.setOrientation('landscape');
shown.orientation = await driver.getOrientation();
shown.screenshot = (await driver.screenshot({ format: 'png' })).toString('latin1', 1, 4);

// The driver matches answers by their ids: many may be in flight.
const acts = [
  driver.tap(10.4, 20),
  driver.doubleTap(1.5, 2.5),
  driver.longPress(1, 2, 500),
  driver.typeText('hello'),
  driver.pressKeys(['command+a']),
  driver.clearText(),
  driver.swipe('up', { distance: 5000, duration: 100 }),
  driver.gesture({ pointers: [{ type: 'touch', actions: [] }] }),
  driver.pressButton('HOME'),
  driver.setGeolocation({ latitude: 1.5, longitude: -2 }),
  driver.setGeolocation(null),
  driver.openUrl('https://example.com'),
];
shown.acts = (await Promise.all(acts)).length;
await driver.startRecording({ output: 'a.mp4', timeLimit: 60 });
shown.recording = await driver.stopRecording();
shown.twice = await errorOf(driver.stopRecording());
await driver.terminateApp('com.example.shop');
await driver.uninstallApp('com.example.shop');
shown.left = [await driver.listApps(), (await driver.getForegroundApp()).bundleId];
await driver.release(given.deviceId);
shown.released = await errorOf(driver.tap(1, 2));
await driver.disconnect();
shown.refused = await errorOf(unknown.connect({ ...given, url }));
console.log(JSON.stringify(shown));
