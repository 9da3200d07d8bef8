// The sessions with their statuses over time, as the server gives them.
import { computed, effect, signal } from "./vendor/preact.js";
import { call, changes, connection, number, receivedAt } from "./api.js";
import { makeFilter, parts } from "./filter.js";
import { at, query } from "./state.js";
import { parse } from "./time.js";

/** All lanes with the window that they cover: `{from, to, historyBeginsAt, lanes, isCut}`. */
export const loaded = signal(null);
/** What the server knows about each surface, by name. */
export const surfaces = signal(new Map());
/** Why the lanes could not be loaded. */
export const problem = signal("");

const tick = signal(0);
/** The instant of the namespace's clock; a clock that runs is followed between two polls. */
export const now = computed(() => {
  tick.value;
  const clock = changes.value?.clock;
  if (!clock) return null;
  const rate = clock.mode === "frozen" ? 0 : (clock.rate ?? 1);
  return Math.round(parse(clock.now) + rate * (performance.now() - receivedAt) * 1000);
});
export const isRunning = computed(() => (changes.value?.clock.mode ?? "frozen") !== "frozen");
/** The instant that is shown. */
export const shownAt = computed(() => at.value ?? now.value);

/** The number of the segment of a lane at an instant, or -1 before the first. */
export function segmentAt(lane, instant) {
  let index = lane.segments.length - 1;
  while (index >= 0 && lane.segments[index][0] > instant) index--;
  return index;
}

/** The status of a lane at an instant; null if the session does not exist then. */
export const statusAt = (lane, instant) => lane.segments[segmentAt(lane, instant)]?.[1] ?? null;

/** What a status means on a surface: open, held, empty, timed_out, closed or failed. */
export const meaningOf = (surface, status) => surfaces.value.get(surface)?.meanings.get(status) ?? "closed";
export const isOpen = (surface, status) => ["open", "held", "empty"].includes(meaningOf(surface, status));

/** The lane of a session, by its key `surface/id`. */
export const laneOf = (key) => loaded.value?.byKey.get(key);

const filter = computed(() => makeFilter(query.value, isOpen));
/** The lanes that the filter's text and surfaces leave, whatever their status. */
export const matching = computed(() => {
  const lanes = loaded.value?.lanes ?? [], { matches } = filter.value;
  return filter.value.isTextual ? lanes.filter(matches) : lanes;
});
/** The lanes that are shown: in order of surfaces, then of creation. */
export const shown = computed(() => {
  if (!filter.value.hasStatus) return matching.value;
  const instant = shownAt.value, { admits } = filter.value;
  return matching.value.filter((lane) => admits(lane, statusAt(lane, instant)));
});

const isLarge = signal(false);
/** The word that the server searches for, where it has more sessions than the page loads. */
export const searched = computed(() => (isLarge.value ? parts(query.value).word[0] ?? "" : ""));

function toLane([surface, id, title, , segments]) {
  const text = `${surface} ${id} ${title}`.toLowerCase();
  return { surface, id, title, segments, text, key: `${surface}/${id}` };
}

function take(answer) {
  const order = new Map([...surfaces.value.keys()].map((name, index) => [name, index]));
  const lanes = answer.lanes.map(toLane);
  lanes.sort((one, other) => order.get(one.surface) - order.get(other.surface)); // it is stable
  if (answer.next !== null) isLarge.value = true;
  loaded.value = {
    from: parse(answer.from), to: parse(answer.to), historyBeginsAt: parse(answer.history_begins_at),
    lanes, byKey: new Map(lanes.map((lane) => [lane.key, lane])), isCut: answer.next !== null,
  };
}

function takeSurfaces(answer) {
  const list = answer.surfaces ?? answer;
  surfaces.value = new Map(list.map((each) => [
    each.name, { ...each, meanings: new Map(each.statuses.map(({ name, meaning }) => [name, meaning])) },
  ]));
}

let isLoading = false, isStale = false;

/** Read the lanes again. A slow answer is not asked for twice at the same time. */
export async function load() {
  isStale = isLoading;
  if (isLoading) return;
  isLoading = true;
  const began = performance.now();
  try {
    const search = searched.peek() && `&q=${encodeURIComponent(searched.peek())}`;
    const known = surfaces.peek().size ? null : call("surfaces"), answer = await call(`lanes?limit=10000${search}`);
    if (known) takeSurfaces(await known);
    take(answer);
    problem.value = "";
  } catch (error) {
    problem.value = error.message;
  }
  // A busy double is left in peace: reading its lanes takes at most a fifth of its time.
  setTimeout(() => {
    isLoading = false;
    if (isStale) load();
  }, 4 * (performance.now() - began));
}

/** Read the lanes whenever something has changed or the server is back; follow a clock that runs. */
export function start() {
  effect(() => {
    searched.value;
    if (connection.value === "dropped") loaded.value = null;
    else if (connection.value === "ok" && number.value >= 0) load();
  });
  setInterval(() => !document.hidden && isRunning.value && tick.value++, 1000);
}
