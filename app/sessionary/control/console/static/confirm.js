// The page draws what the server said of each session's statuses over time. When the instant shown
// has rested, an as-of read of the rows that are seen is compared with what is drawn.
import { effect, signal } from "./vendor/preact.js";
import { REST, call, number } from "./api.js";
import { laneOf, loaded, shownAt, statusAt } from "./lanes.js";
import { at, selected } from "./state.js";

const MOST = 100; // sessions in one read
/** What was confirmed last: `{at, compared, different: [text, …]}`. */
export const confirmed = signal(null);

const drawn = (key, instant) => laneOf(key) ? statusAt(laneOf(key), instant) : null;

function difference(key, status, instant) {
  const before = drawn(key, instant);
  return before === status ? null : `${key} is drawn ${before ?? "absent"}, but the server says ${status ?? "absent"}`;
}

async function confirm(keys, instant, isCurrent) {
  const ids = keys.map(encodeURIComponent).join(",");
  const answer = await call(`sessions?limit=${MOST}&ids=${ids}`, { at: instant });
  if (!isCurrent()) return;
  const statuses = new Map(answer.sessions.map((each) => [`${each.surface}/${each.id}`, each.status]));
  const different = keys.map((key) => difference(key, statuses.get(key) ?? null, instant)).filter(Boolean);
  confirmed.value = { at: instant, compared: keys.length, different };
}

/** Confirm whenever the instant or what is loaded has rested; `keysSeen()` are the visible rows. */
export function start(keysSeen) {
  effect(() => {
    const instant = at.value, data = loaded.value, mine = number.value;
    const isCurrent = () => at.peek() === instant && loaded.peek() === data && number.peek() === mine;
    const timer = setTimeout(() => {
      const keys = [...new Set([selected.peek(), ...keysSeen()].filter(laneOf))].slice(0, MOST);
      if (instant !== null && keys.length && isCurrent()) confirm(keys, instant, isCurrent).catch(() => {});
    }, REST);
    return () => clearTimeout(timer);
  });
}

/** Whether the instant that is shown now was confirmed. */
export const isConfirmed = () => confirmed.value?.at === shownAt.value && !confirmed.value.different.length;
