// The page: header, bar, timeline or first run, panels, keys.
import { computed, html, render, useEffect, useRef, useSignal } from "./vendor/preact.js";
import * as api from "./api.js";
import * as confirm from "./confirm.js";
import { makeCounts } from "./counts.js";
import { parts, toggled } from "./filter.js";
import { FirstRun } from "./first_run.js";
import { allKeys, isHelpShown, listen } from "./keys.js";
import * as lanes from "./lanes.js";
import * as links from "./links.js";
import { Explain } from "./panels/explain.js";
import { offered } from "./panels/index.js";
import * as state from "./state.js";
import { visible } from "./text.js";
import { Timeline, keysSeen } from "./timeline/timeline.js";

const countsAt = computed(() => makeCounts(lanes.matching.value));

function Chip({ surface, status, number }) {
  const part = `status:${status}`, isOn = parts(state.query.value).status.includes(status);
  return html`<button class="chip" aria-pressed=${isOn} data-status=${status} onClick=${() => (state.query.value = toggled(state.query.value, part))}>
    <i class=${`m-${lanes.meaningOf(surface, status)}`}></i>${visible(status, 40)} <b>${number.toLocaleString("en")}</b></button>`;
}

/** The number of sessions by status at the instant shown. */
function Chips() {
  const found = new Map();
  for (const [key, number] of countsAt.value(lanes.shownAt.value)) {
    const surface = key.split("/", 1)[0], status = key.slice(surface.length + 1), known = found.get(status);
    if (number) found.set(status, { surface, status, number: number + (known?.number ?? 0) });
  }
  const sorted = [...found.values()].sort((one, other) => other.number - one.number);
  return html`<span class="chips" role="group" aria-label="Sessions by status">${sorted.map((each) => html`<${Chip} key=${each.status} ...${each} />`)}</span>`;
}

function PanelButton({ id, title, badge }) {
  const text = badge?.() ?? "";
  return html`<button aria-pressed=${state.panel.value === id} onClick=${() => state.togglePanel(id)}>${title}${text !== "" && html` <span class="badge">${text}</span>`}</button>`;
}

function Bar() {
  const isOpenOnly = parts(state.query.value).is.includes("open");
  return html`<section class="bar" aria-label="Filter and panels">
    <input id="filter" type="search" placeholder="Filter: text, status:…, surface:…" aria-label="Filter sessions" title="Filter (/)"
      value=${state.query.value} onInput=${(event) => (state.query.value = event.target.value)} />
    <button aria-pressed=${isOpenOnly} onClick=${() => (state.query.value = toggled(state.query.value, "is:open"))}>Open</button>
    ${lanes.loaded.value && lanes.shownAt.value !== null ? html`<${Chips} />` : html`<span class="gap"></span>`}
    <span class="buttons-of-panels">${offered().filter((each) => !each.isFixed && !each.hasNoButton).map((each) => html`<${PanelButton} key=${each.id} ...${each} />`)}</span>
  </section>`;
}

const Header = () => html`<header>
  <h1 class="brand">Sessionary</h1>
  ${offered().filter((each) => each.Header).map((each) => html`<${each.Header} key=${each.id} />`)}
  <span class="gap"></span>
  ${api.hasToken() && html`<button onClick=${() => api.useToken("")}>Forget the token</button>`}
  <button onClick=${state.switchTheme} title="Light or dark (d)" aria-label="Light or dark">◐</button>
</header>`;

function Aside() {
  const open = offered().find((each) => each.id === state.panel.value), panel = useRef();
  useEffect(() => panel.current?.scrollIntoView(), [open]); // on a narrow screen it is below the lanes
  if (open) {
    return html`<aside><section class="panel" ref=${panel} aria-label=${open.title}>
      <h2>${open.title} <button onClick=${() => (state.panel.value = "")} title="Close (Esc)" aria-label="Close">×</button></h2>
      <${open.Component} /></section></aside>`;
  }
  return html`<aside><${Explain} />
    ${offered().filter((each) => each.isFixed).map((each) => html`<section class="panel" key=${each.id} aria-label=${each.title}><h2>${each.title}</h2><${each.Component} /></section>`)}
  </aside>`;
}

const Keys = () => html`<div class="help" role="dialog" aria-label="Keys" onClick=${() => (isHelpShown.value = false)}>
  <dl>${allKeys().map(([names, what]) => html`<dt>${names.split(" ").map((each) => html`<kbd>${each.replace("Arrow", "")}</kbd>`)}</dt><dd>${what}</dd>`)}</dl>
</div>`;

const HINTS = [["←", "→", "scrub"], ["j", "k", "session"], ["Enter", "explain"], ["n", "next transition"], ["f", "freeze or run"], ["w", "namespace"], ["/", "filter"], ["?", "all keys"]];
const Footer = () => html`<footer>${HINTS.map((each) => html`<span>${each.slice(0, -1).map((key) => html`<kbd>${key}</kbd>`)} ${each.at(-1)}</span>`)}</footer>`;

/** The entry page of a server that wants a token. */
function Entry() {
  const token = useSignal("");
  const send = (event) => {
    event.preventDefault();
    api.useToken(token.value);
  };
  return html`<main class="entry"><form onSubmit=${send}>
    <h1>Sessionary</h1>
    <label>The control token of this server <input type="password" autocomplete="off" value=${token} onInput=${(event) => (token.value = event.target.value)} /></label>
    <button class="go">Enter</button>
    ${api.connection.value === "refused" && html`<p class="error" role="alert">This token was refused.</p>`}
    <p class="sub">It is kept for this tab only.</p>
  </form></main>`;
}

const isEmpty = computed(() => lanes.loaded.value?.lanes.length === 0 && !lanes.searched.value);

function Main() {
  if (!isEmpty.value) return html`<main><${Timeline} /><${Aside} /></main>`;
  return html`<main class=${state.panel.value ? "" : "alone"}><${FirstRun} />${state.panel.value && html`<${Aside} />`}</main>`;
}

function App() {
  if (["token", "refused"].includes(api.connection.value)) return html`<${Entry} />`;
  if (api.connection.value === "dropped") return html`<p class="banner" role="alert">The namespace ${state.namespace} does not exist. <a href=${state.consoleOf("default")}>Open the default one</a></p>`;
  return html`
    ${api.connection.value === "gone" && html`<p class="banner" role="alert">The server does not answer. This page goes on when it is back.</p>`}
    <${links.Notes} />
    <${Header} />
    <${Bar} />
    <${Main} />
    <${Footer} />
    ${isHelpShown.value && html`<${Keys} />`}`;
}

state.keepAddress();
listen();
lanes.start();
links.start();
confirm.start(keysSeen);
render(html`<${App} />`, document.getElementById("app"));
api.start();
