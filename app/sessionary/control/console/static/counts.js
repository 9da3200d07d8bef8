// The number of sessions by status at any instant: counted once, then looked up.
const STEP = 256;

/** Return `countsAt(instant)`: numbers of these lanes by `surface/status`. */
export function makeCounts(lanes) {
  const steps = [];
  for (const { surface, segments } of lanes) {
    let before = null;
    for (const [at, status] of segments) {
      steps.push([at, before && `${surface}/${before}`, status && `${surface}/${status}`]);
      before = status;
    }
  }
  steps.sort((one, other) => one[0] - other[0]);
  const kept = keep(steps);
  return (instant) => {
    const index = firstAfter(steps, instant), counts = new Map(kept[Math.floor(index / STEP)]);
    for (let each = index - (index % STEP); each < index; each++) apply(counts, steps[each]);
    return counts;
  };
}

function apply(counts, [, before, after]) {
  if (before) counts.set(before, counts.get(before) - 1);
  if (after) counts.set(after, (counts.get(after) ?? 0) + 1);
}

/** The counts before each STEP-th step. */
function keep(steps) {
  const counts = new Map(), kept = [];
  for (let index = 0; index <= steps.length; index++) {
    if (index % STEP === 0) kept.push(new Map(counts));
    if (index < steps.length) apply(counts, steps[index]);
  }
  return kept;
}

function firstAfter(steps, instant) {
  let low = 0, high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle][0] <= instant) low = middle + 1;
    else high = middle;
  }
  return low;
}
