// Folding: a long time in which nothing changes is drawn short. `u` is time without what is folded.
import { MINUTE } from "../time.js";

const FLOOR = 20 * MINUTE; // what is shorter is never folded
const SHARE = 0.3; // what is folded takes more than this share of all
const WIDTH = 0.03; // of the rest, for each fold

/** Make the map between time and `u` over a window, for the instants at which something changes. */
export function makeFold(instants, from, to) {
  const { gaps, rest } = findGaps(instants, from, to), width = rest * WIDTH;
  return {
    gaps,
    end: rest + gaps.length * width,
    toU(at) {
      let u = at - from;
      for (const gap of gaps) {
        if (at <= gap.from) break;
        u -= (Math.min(at, gap.to) - gap.from) * (1 - width / (gap.to - gap.from));
      }
      return u;
    },
    toTime(u) {
      let at = from + u;
      for (const gap of gaps) {
        if (at <= gap.from) break;
        const length = gap.to - gap.from;
        at += Math.min((at - gap.from) / width, 1) * (length - width);
      }
      return at;
    },
  };
}

function findGaps(instants, from, to) {
  const points = Float64Array.from([from, ...instants.filter((at) => at > from && at < to), to]).sort();
  const idle = [];
  for (let index = 1; index < points.length; index++) {
    if (points[index] - points[index - 1] > FLOOR) idle.push([points[index - 1], points[index]]);
  }
  idle.sort((one, other) => other[1] - other[0] - (one[1] - one[0]));
  const gaps = [];
  let rest = to - from;
  for (const [start, end] of idle) {
    const length = end - start;
    if (length < rest * SHARE) break;
    const margin = Math.max(2 * MINUTE, Math.min((rest - length) * 0.1, length * 0.2));
    gaps.push({ from: start + margin, to: end - margin });
    rest -= length - 2 * margin;
  }
  return { gaps: gaps.sort((one, other) => one.from - other.from), rest };
}
