// A conversation with notte-sdk for TypeScript: `... url key`. Prints its calls, and what it saw.
import assert from 'node:assert/strict';
import { NotteClient, healthCheck, listSessions } from 'notte-sdk';

const [baseUrl, apiKey] = process.argv.slice(2);
const notte = new NotteClient({ baseUrl, apiKey });
const client = notte.getClient();
const { data: health } = await healthCheck({ client });
assert.equal(health.status, 'healthy');

const session = notte.Session({ idle_timeout_minutes: 5, use_file_storage: true });
await session.start();
const started = session.getResponse();
const { duration, ...facts } = await session.status();
assert.deepEqual({ ...facts, duration: started.duration }, started);
assert.match(duration, /^PT[\d.]+S$/);
const action = { type: 'goto', url: 'https://example.com/a' };
const executed = await session.execute(action);
assert.deepEqual([executed.success, executed.action], [true, action]);
const observed = await session.observe();
assert.equal(observed.metadata.url, action.url);
assert.equal(observed.space.actions.length, 0);
assert.equal(await session.scrape(), '');
const structured = await session.scrape({ instructions: 'prices' });
assert.equal(structured.success, false);
await session.stop();
const stopped = session.getResponse();
assert.deepEqual([stopped.status, stopped.close_reason], ['closed', 'manual']);

let used;
await assert.rejects(
  notte.Session().use(async (inside) => {
    used = inside.getResponse().session_id;
    throw new Error('mine');
  }),
  /^Error: mine$/,
);
let walked = [];
for await (const inside of notte.Session()) {
  walked.push(inside.getId());
}
const made = [];
for (let count = 0; count < 5; count += 1) {
  const another = notte.Session();
  await another.start();
  made.unshift(another.getId());
}
const active = await listSessions({ client });
assert.deepEqual(active.data.items.slice(0, 5).map((each) => each.session_id), made);
const ended = [...walked, used, started.session_id];
walked = [];
for (let page = 1, hasNext = true; hasNext; page += 1) {
  const { data } = await listSessions({ client, query: { page, page_size: 3, only_active: false } });
  walked.push(...data.items.map((each) => each.session_id));
  hasNext = data.has_next;
}
assert.deepEqual(walked.slice(0, 8), [...made, ...ended]);

const messageOf = (promise) => promise.then(() => null, (error) => error.message);
const unknown = notte.Session();
unknown.sessionId = 'nothing';
const over = notte.Session();
[over.sessionId, over.isActive] = [started.session_id, true];
const refused = {
  unknown: await messageOf(unknown.status()),
  ended: await messageOf(over.observe()),
  stopped: await messageOf(over.stop()),
  idle: await messageOf(notte.Session({ idle_timeout_minutes: 31 }).start()),
};
assert.match(refused.unknown, /Session nothing not found/);
assert.match(refused.ended, /is closed/);
assert.match(refused.stopped, /is already closed/);
assert.match(refused.idle, /less_than_equal/);
const calls = 'start, status, execute, observe, scrape, stop, use, for await, list';
console.log(JSON.stringify({ calls, started, stopped, refused }));
