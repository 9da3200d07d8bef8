// The timeline: lanes on a canvas, drawn once a frame for the rows that are seen.
import { effect, html, signal, useEffect, useRef } from "../vendor/preact.js";
import { loaded, meaningOf, now, problem, shownAt, statusAt } from "../lanes.js";
import { a, at, b, isDark, selected } from "../state.js";
import { show, signed } from "../time.js";
import * as drawing from "./draw.js";
import { Mirror, rowId } from "./mirror.js";
import { HEIGHT, openCount, rows, selectedRow, toggleFolded } from "./rows.js";
import * as scale from "./scale.js";
import { Scrubber } from "./scrubber.js";

/** Windows to hatch on the lanes: `{from, to}`, set by panels such as that of faults. */
export const bands = signal([]);
/** The rows that are seen: `[first, last]`. */
const seen = signal([0, 0]);
const hovered = signal(-1);
const right = 12; // pixels that stay free

const side = signal(210);

/** The width of the labels. */
const left = (width) => (width < 600 ? 116 : 210);

function lines(colours) {
  const found = [{ at: now.value, text: "now", colour: colours.accent }];
  if (a.value !== null) found.push({ at: a.value, text: "A", colour: colours.dim });
  if (b.value !== null) found.push({ at: b.value, text: "B", colour: colours.dim });
  if (at.value !== null) found.push({ at: at.value, text: `${show(at.value, now.value)}  ${signed(at.value - now.value)}`, colour: colours.shown });
  return found;
}

function draw({ scroller, canvas, axis }, colours) {
  const whole = scroller.clientWidth, height = scroller.clientHeight, top = scroller.scrollTop;
  side.value = left(whole);
  scale.width.value = Math.max(50, whole - side.value - right);
  const scene = {
    width: scale.width.value, height, left: side.value, toX: scale.toX.value, marks: scale.marks.value, folds: scale.folds.value,
    gaps: scale.fold.value.gaps, bands: bands.value, colours, lines: lines(colours), shownAt: shownAt.value, meaningOf, openCount, words: [],
  };
  drawing.drawAxis(drawing.prepare(axis, whole, 48), scene);
  const context = drawing.prepare(canvas, whole, height);
  drawing.drawGround(context, scene);
  const first = Math.floor(top / HEIGHT), last = Math.min(rows.value.length, Math.ceil((top + height) / HEIGHT));
  for (let index = first; index < last; index++) drawRow(context, index, index * HEIGHT - top, scene);
  drawing.drawLines(context, scene);
  drawing.drawWords(context, scene);
  drawSticky(context, first, top, scene);
  if (seen.peek()[0] !== first || seen.peek()[1] !== last) seen.value = [first, last];
}

function drawRow(context, index, y, scene) {
  const row = rows.value[index];
  if (!row.lane) return drawing.drawHeading(context, y, row, scene);
  scene.isSelected = index === selectedRow.value;
  scene.isHovered = index === hovered.value;
  scene.status = statusAt(row.lane, scene.shownAt);
  return drawing.drawLane(context, y, row.lane, scene);
}

/** The heading of the first row stays at the top, until the next one pushes it away. */
function drawSticky(context, first, top, scene) {
  const row = rows.value[first], next = rows.value[first + 1];
  if (!row) return;
  const y = next && !next.lane ? Math.min(0, (first + 1) * HEIGHT - top - HEIGHT) : 0;
  drawing.drawHeading(context, y, row.heading ?? row, scene);
}

/** Draw when something that is drawn has changed, at most once a frame. */
function keepDrawn(elements) {
  let frame = 0, colours = null;
  const later = () => (frame ||= requestAnimationFrame(() => {
    frame = 0;
    colours ??= drawing.palette();
    if (loaded.value && shownAt.value !== null) draw(elements, colours);
  }));
  const stop = [
    effect(() => {
      isDark.value;
      colours = null;
    }),
    effect(() => {
      for (const each of [rows, shownAt, now, scale.toX, bands, hovered, selectedRow, a, b, isDark]) each.value;
      later();
    }),
  ];
  const sizes = new ResizeObserver(later);
  sizes.observe(elements.scroller);
  elements.scroller.addEventListener("scroll", later);
  return () => [...stop, () => sizes.disconnect()].forEach((each) => each());
}

function keepInView(scroller) {
  return effect(() => {
    const index = selectedRow.value;
    if (index >= 0) requestAnimationFrame(() => scrollTo(scroller, index * HEIGHT)); // once there is room for the rows
  });
}

function scrollTo(scroller, y) {
  const top = scroller.scrollTop + HEIGHT; // below the heading that stays
  if (y < top) scroller.scrollTop = y - HEIGHT;
  else if (y + HEIGHT > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = y + HEIGHT - scroller.clientHeight;
}

const rowAt = (event) => Math.floor((event.offsetY + event.currentTarget.parentElement.scrollTop) / HEIGHT);

function onClick(event) {
  const scroller = event.currentTarget.parentElement, sticky = rows.value[Math.floor(scroller.scrollTop / HEIGHT)];
  const isSticky = event.offsetY < HEIGHT, row = rows.value[rowAt(event)];
  const heading = isSticky ? sticky?.heading ?? sticky : row?.lane ? null : row;
  if (heading) toggleFolded(heading.surface);
  else if (row) selected.value = row.lane.key;
}

function onWheel(event) {
  const x = event.offsetX - side.value;
  if (event.ctrlKey || event.metaKey) scale.zoom(Math.exp(event.deltaY * 0.002), Math.max(0, x));
  else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) scale.pan((event.deltaX || event.deltaY) / 1000);
  else return;
  event.preventDefault();
}

const isSelectedSeen = () => selectedRow.value >= seen.value[0] && selectedRow.value < seen.value[1];

export function Timeline() {
  const scroller = useRef(), canvas = useRef(), axis = useRef();
  useEffect(() => {
    const elements = { scroller: scroller.current, canvas: canvas.current, axis: axis.current };
    const stops = [keepDrawn(elements), keepInView(elements.scroller)];
    elements.canvas.addEventListener("wheel", onWheel, { passive: false });
    return () => stops.forEach((stop) => stop());
  }, []);
  return html`
    <section class="timeline" aria-label="Sessions over time" style=${{ "--left": `${side.value}px` }}>
      <canvas class="axis" ref=${axis} aria-hidden="true"></canvas>
      <div class="scroller" id="lanes" ref=${scroller} tabindex="0" role="grid" aria-label="Sessions"
        aria-rowcount=${rows.value.length} aria-activedescendant=${isSelectedSeen() ? rowId(selectedRow.value) : undefined}>
        <div class="space" style=${{ height: `${rows.value.length * HEIGHT}px` }}></div>
        <canvas class="lanes" ref=${canvas} aria-hidden="true" onClick=${onClick}
          onMouseMove=${(event) => (hovered.value = rowAt(event))} onMouseLeave=${() => (hovered.value = -1)}></canvas>
        <${Mirror} seen=${seen} />
      </div>
      ${problem.value && html`<p class="notice" role="alert">${problem.value}</p>`}
      ${loaded.value && !rows.value.length && html`<p class="notice">No session matches the filter.</p>`}
      <${Scrubber} />
    </section>`;
}

/** The keys of the sessions whose rows are seen. */
export const keysSeen = () => rows.peek().slice(...seen.peek()).filter((row) => row.lane).map((row) => row.lane.key);
