// Draws the visible rows and the axis. Text goes in by fillText only.
import { shortened, visible } from "../text.js";
import { HEIGHT } from "./rows.js";

const LATER = 0.26; // how much of its colour is left to what is not yet so
const FONT = '12px system-ui, "DejaVu Sans", sans-serif';
const NAMES = ["bg", "panel", "line", "grid", "ink", "dim", "accent", "shown", "row", "open", "held", "empty", "timed_out", "closed", "failed"];

/** The colours of the theme, from the style sheet. */
export function palette() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Size a canvas for the screen, clear it and return its context. */
export function prepare(canvas, width, height) {
  const ratio = devicePixelRatio || 1, context = canvas.getContext("2d");
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  return context;
}

const widths = new Map();
function widthOf(context, text) {
  if (widths.size > 5000) widths.clear();
  if (!widths.has(text)) widths.set(text, context.measureText(text).width);
  return widths.get(text);
}

const fitting = new Map();
/** Text that is cut to a width. */
function fit(context, value, width) {
  const key = `${width} ${shortened(value, 120)}`;
  if (fitting.size > 5000) fitting.clear();
  if (!fitting.has(key)) {
    const text = visible(shortened(value, 120), 120);
    let length = text.length;
    while (length && widthOf(context, shortened(text, length)) > width) length--;
    fitting.set(key, shortened(text, length));
  }
  return fitting.get(key);
}

/** Draw the axis: marks, folds, and the labels of the lines. */
export function drawAxis(context, { width, left, marks, folds, toX, colours, lines }) {
  context.textAlign = "center";
  context.fillStyle = colours.dim;
  for (const [x, text] of marks) {
    const taken = [...folds.map(([each]) => each), ...lines.map(({ at }) => toX(at))];
    const isFree = taken.every((each) => Math.abs(each - x) > 28);
    if (x > 0 && x < width && isFree) context.fillText(text, left + x, 34);
  }
  for (const [x, text] of folds) if (x > 0 && x < width) context.fillText(text, left + x, 34);
  for (const { at, text, colour } of lines) drawFlag(context, left + toX(at), text, colour, left + width, colours, left);
  context.textAlign = "start";
}

function drawFlag(context, x, text, colour, right, colours, left) {
  if (x < left - 1 || x > right + 1) return;
  const half = widthOf(context, text) / 2 + 6, middle = Math.min(Math.max(x, left + half), right - half);
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(middle - half, 3, 2 * half, 18, 4);
  context.fill();
  context.fillRect(x - 1, 21, 2, 30);
  context.fillStyle = colours.bg;
  context.fillText(text, middle, 12.5);
}

/** Draw what is behind the rows: the grid, folds and bands. */
export function drawGround(context, { width, height, left, marks, gaps, bands, toX, colours }) {
  context.fillStyle = colours.grid;
  for (const [x] of marks) if (x > 0 && x < width) context.fillRect(left + x, 0, 1, height);
  context.fillStyle = colours.line;
  for (const gap of gaps) {
    const from = toX(gap.from), to = toX(gap.to);
    for (let x = from; x < to; x += 4) if (x > 0 && x < width) context.fillRect(left + x, 0, 1, height);
  }
  for (const band of bands) hatch(context, left + Math.max(0, toX(band.from)), left + Math.min(width, toX(band.to)), height, colours.failed);
}

function hatch(context, from, to, height, colour) {
  if (to <= from) return;
  context.save();
  context.beginPath();
  context.rect(from, 0, Math.max(2, to - from), height);
  context.clip();
  context.globalAlpha = 0.22;
  context.strokeStyle = colour;
  context.beginPath();
  for (let x = from - height; x < to; x += 9) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
  context.restore();
}

/** Draw the heading of a surface over the width of the lanes. */
export function drawHeading(context, y, row, { width, left, colours, openCount }) {
  context.fillStyle = colours.panel;
  context.fillRect(0, y, left + width + 12, HEIGHT - 1);
  context.fillStyle = colours.line;
  context.fillRect(0, y + HEIGHT - 1, left + width + 12, 1);
  context.fillStyle = colours.dim;
  context.fillText(row.isFolded ? "▸" : "▾", 9, y + HEIGHT / 2);
  context.fillStyle = colours.ink;
  context.font = `600 ${FONT}`;
  context.fillText(row.title, 24, y + HEIGHT / 2);
  const end = 24 + context.measureText(row.title).width;
  context.font = FONT;
  context.fillStyle = colours.dim;
  context.fillText(`${row.lanes.length.toLocaleString("en")}, ${openCount(row).toLocaleString("en")} open`, end + 10, y + HEIGHT / 2);
}

/** Draw a lane: its label, and a bar for each status. */
export function drawLane(context, y, lane, scene) {
  const { width, left, colours, isSelected, isHovered, status, meaningOf } = scene;
  if (isSelected || isHovered) {
    context.fillStyle = colours.row;
    context.globalAlpha = isSelected ? 1 : 0.5;
    context.fillRect(0, y, left + width + 12, HEIGHT);
    context.globalAlpha = 1;
  }
  if (isSelected) {
    context.fillStyle = colours.accent;
    context.fillRect(0, y, 3, HEIGHT);
  }
  if (status) dot(context, 15, y + HEIGHT / 2, colours[meaningOf(lane.surface, status)]);
  context.fillStyle = status && lane.title ? colours.ink : colours.dim;
  context.fillText(fit(context, lane.title || lane.id, left - 34), 25, y + HEIGHT / 2);
  drawBars(context, y, lane, scene);
}

function dot(context, x, y, colour) {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, 4, 0, 7);
  context.fill();
}

function drawBars(context, y, lane, scene) {
  const { segments } = lane, { width, left, toX } = scene;
  for (let index = 0; index < segments.length; index++) {
    const [from, status] = segments[index], until = segments[index + 1]?.[0];
    if (status === null) continue;
    const start = Math.max(0, toX(from)), end = until === undefined ? width : Math.min(width, toX(until));
    if (start < width && end > 0) drawBar(context, left + start, left + Math.max(end, start + 1), y, from, status, lane, scene);
  }
}

function drawBar(context, start, end, y, from, status, lane, { toX, left, shownAt, colours, meaningOf, words }) {
  const meaning = meaningOf(lane.surface, status), isOver = meaning === "closed";
  const height = isOver ? 6 : HEIGHT - 8, top = y + (HEIGHT - height) / 2, shown = left + toX(shownAt);
  const parts = [[start, Math.min(end, shown), isOver ? 0.6 : 1], [Math.max(start, shown), end, isOver ? 0.3 : LATER]];
  context.fillStyle = colours[meaning];
  for (const [one, other, alpha] of parts) {
    if (other <= one) continue;
    context.globalAlpha = alpha;
    context.beginPath();
    context.roundRect(one, top, other - one, height, [one === start ? 3 : 0, other === end ? 3 : 0, other === end ? 3 : 0, one === start ? 3 : 0]);
    context.fill();
  }
  context.globalAlpha = 1;
  if (!isOver) words.push(...placeWord(context, status, [start, Math.min(end, shown)], [Math.max(start, shown), end], y + HEIGHT / 2, from > shownAt, colours));
}

/** Where a status is written: into the part of its bar that is, or into the part that will be. */
function placeWord(context, status, is, willBe, y, isLater, colours) {
  const text = visible(status, 40), space = widthOf(context, text) + 12;
  const isInLater = isLater || is[1] - is[0] < space, [from, to] = isInLater ? willBe : is;
  return to - from < space ? [] : [[text, from + 7, y, isInLater ? colours.ink : colours.bg]];
}

/** Write the words of the bars, over the lines. */
export function drawWords(context, { words }) {
  for (const [text, x, y, colour] of words) {
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }
}

/** Draw the lines of instants over all rows. */
export function drawLines(context, { width, height, left, toX, lines }) {
  for (const { at, colour } of lines) {
    const x = toX(at);
    if (x < -1 || x > width + 1) continue;
    context.fillStyle = colour;
    context.fillRect(left + x - 1, 0, 2, height);
  }
}
