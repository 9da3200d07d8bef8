// Where an instant is drawn: the window that is seen, and the marks of its axis.
import { computed, signal } from "../vendor/preact.js";
import { changes } from "../api.js";
import { loaded, now } from "../lanes.js";
import { at, view } from "../state.js";
import { DAY, HOUR, MINUTE, SECOND, format, show } from "../time.js";
import { makeFold } from "./fold.js";

const FOLLOW = 10 * SECOND;
const BEFORE = 0.02, AFTER = 0.15; // shares of the window that are seen around it
const SHORTEST = 20; // microseconds that fill the width: single ones can be told apart
const STEPS = [
  ...[1, 10, 100, 1000, 10_000, 100_000], ...[1, 2, 5, 10, 15, 30].map((each) => each * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((each) => each * MINUTE), ...[1, 2, 6, 12].map((each) => each * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365, 3650].map((each) => each * DAY),
];

/** The end of the window: a clock that runs beyond its data takes it along, in steps. */
const until = computed(() => {
  const { from, to } = loaded.value, least = from + MINUTE;
  return Math.max(to, least, now.value > to ? Math.ceil(now.value / FOLLOW) * FOLLOW : 0);
});

/** The width of the lanes in pixels, set by the timeline. */
export const width = signal(600);
export const fold = computed(() => {
  const data = loaded.value;
  if (!data) return makeFold([], 0, MINUTE);
  const instants = data.lanes.flatMap((lane) => lane.segments.map(([start]) => start));
  return makeFold([...instants, now.peek()], data.from, until.value);
});

/** The ends of all that can be seen, and of what is seen, in `u`. */
const whole = computed(() => [-fold.value.end * BEFORE, fold.value.end * (1 + AFTER)]);
const ends = computed(() => view.value?.map(fold.value.toU) ?? whole.value);
export const toX = computed(() => {
  const [from, to] = ends.value, { toU } = fold.value, factor = width.value / (to - from);
  return (instant) => (toU(instant) - from) * factor;
});
export const toInstant = computed(() => {
  const [from, to] = ends.value, { toTime } = fold.value;
  return (x) => rounded(toTime(from + (x / width.value) * (to - from)), (to - from) / width.value);
});

/** An instant without what is too fine to be chosen at this step. */
function rounded(instant, step) {
  const unit = step > SECOND / 2 ? SECOND : step > 500 ? 1000 : 1;
  return Math.round(instant / unit) * unit;
}

/** See `factor` times as much, with the instant at `x` in its place. */
export function zoom(factor, x) {
  const [from, to] = ends.peek(), [first, last] = whole.peek();
  const length = Math.max((to - from) * factor, SHORTEST);
  const start = from + (x / width.peek()) * (to - from - length);
  if (length > (last - first) * 0.999) view.value = null;
  else see(start, length);
}

/** Move what is seen by a share of its width. */
export function pan(share) {
  const [from, to] = ends.peek();
  if (view.peek()) see(from + share * (to - from), to - from);
}

function see(start, length) {
  const { toTime } = fold.peek(), [first, last] = whole.peek();
  const from = Math.max(first, Math.min(start, last - length));
  view.value = [toTime(from), toTime(from + length)];
}

/** Move the instant shown by a share of what is seen, and follow it. */
export function scrub(share) {
  const x = toX.peek()(at.peek() ?? now.peek()) + share * width.peek();
  showAt(toInstant.peek()(x));
}

/** Show an instant, and bring it into view. A server has no past: there it is now at the least. */
export function showAt(instant) {
  at.value = changes.peek()?.role === "server" && instant < now.peek() ? null : instant;
  const x = toX.peek()(instant);
  if (x < 0 || x > width.peek()) pan(x / width.peek() - 0.5);
}

const dayOf = (instant) => format(Math.round(instant)).slice(5, 10);
/** The folds: `[x, text]`, with the day after a fold if that is another one. */
export const folds = computed(() => fold.value.gaps.map(({ from, to }) => [
  (toX.value(from) + toX.value(to)) / 2, dayOf(from) === dayOf(to) ? "⋯" : `⋯ ${dayOf(to)}`,
]));

/** The marks of the axis: `[x, text]`. */
export const marks = computed(() => {
  const [from, to] = ends.value, { gaps, toTime } = fold.value, place = toX.value, found = [];
  const step = STEPS.find((each) => (each / (to - from)) * width.value >= 76) ?? STEPS.at(-1);
  for (let each = Math.ceil(toTime(from) / step) * step; each < toTime(to); each += step) {
    const gap = gaps.find((one) => one.from < each && each < one.to);
    if (gap) each = Math.ceil(gap.to / step) * step;
    found.push([place(each), label(each, step)]);
  }
  return found;
});

function label(instant, step) {
  if (step >= DAY || instant % DAY === 0) return dayOf(instant);
  return step < MINUTE ? show(instant).replace(/(\.\d+?)0+$/, "$1") : show(instant).slice(0, 5);
}
