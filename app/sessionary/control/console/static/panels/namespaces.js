// The namespaces of a double: what each holds; fork, reset, snapshot, restore, seed, drop.
import { html, useEffect, useRef, useSignal } from "../vendor/preact.js";
import { call, change, changes, request } from "../api.js";
import { consoleOf, namespace, togglePanel } from "../state.js";
import { count, visible } from "../text.js";
import { parse, show } from "../time.js";
import { download, isServer, Outcome, SureButton, useWork } from "./parts.js";

export const id = "namespaces";
export const title = "Namespaces";
export const isOffered = () => !isServer();
export const hasNoButton = true;
export const keys = [["w", "namespaces", () => togglePanel(id)]];

const MOST = 100, EVERY_MILLISECONDS = 2000;
const pathOf = (name, rest = "") => `namespaces/${encodeURIComponent(name)}${rest}`;
const fileName = (name) => `${name.replace(/[^a-z0-9_]/g, "_")}.sqlite3`;

export const Header = () => html`<button title="Namespaces (w)" onClick=${() => togglePanel(id)}><span class="sub">Namespace</span> ${visible(namespace, 40)}</button>`;

async function fork(name) {
  const made = await change(pathOf(name, "/fork"), { body: {} });
  return html`The fork <a href=${consoleOf(made.name)}>${made.name}</a> is made.`;
}

async function drop(name) {
  await call(pathOf(name), { method: "DELETE" });
  if (name === namespace) location.href = consoleOf("default");
  return `${name} is dropped.`;
}

async function snapshot(name) {
  const response = await request(pathOf(name, "/snapshot"));
  if (!response.ok) throw new Error((await response.json()).detail);
  download(await response.blob(), fileName(name));
}

function Row({ each, act }) {
  const { name, clock, session_count, open_count, call_count, fault_count, last_call_at, parent } = each;
  const facts = [`${open_count} open of ${session_count}`, count(call_count, "call"), fault_count && count(fault_count, "fault"), last_call_at && `last call ${show(parse(last_call_at))}`, parent && `fork of ${parent}`];
  return html`<li data-namespace=${name}>
    <a href=${consoleOf(name)} aria-current=${name === namespace ? "page" : undefined}>${visible(name, 40)}</a>${name === namespace && " (this one)"}
    <div class="sub">${clock.mode} at ${clock.now.slice(0, 19).replace("T", " ")} · ${facts.filter(Boolean).join(" · ")}</div>
    <div class="acts"><button onClick=${act(() => fork(name))}>Fork</button>
      <button onClick=${act(() => snapshot(name))}>Snapshot</button>
      <${SureButton} what="Reset" question=${`Reset ${name}?`} onSure=${act(() => change(pathOf(name, "/reset")).then(() => `${name} is reset.`))} />
      ${name !== "default" && html`<${SureButton} what="Drop" question=${`Drop ${name}?`} onSure=${act(() => drop(name))} />`}</div></li>`;
}

/** Put the cursor on the line of a text area that a message names. */
function showLine(area, message) {
  const end = /\bend of document\b/.test(message) && area.value.trimEnd().split("\n").length;
  const line = end || Number(/\bline (\d+)/.exec(message)?.[1]);
  if (!line) return;
  const lines = area.value.split("\n"), start = lines.slice(0, line - 1).join("\n").length + (line > 1);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
}

function Seed() {
  const area = useRef(), [run, outcome] = useWork();
  const apply = run(async () => {
    try {
      const { row_count } = await change(pathOf(namespace, "/seed"), { body: area.current.value, type: "application/toml" });
      return `${row_count} rows are seeded.`;
    } catch (error) {
      showLine(area.current, error.message);
      throw error;
    }
  });
  const problems = outcome.error?.message.split("; ");
  return html`<details><summary>Seed ${namespace}</summary>
    <form onSubmit=${apply}><textarea ref=${area} rows="8" aria-label="Seed file in TOML" spellcheck=${false}></textarea><button>Apply</button></form>
    ${problems ? html`<ul class="error" role="alert">${problems.map((each) => html`<li>${visible(each, 500)}</li>`)}</ul>` : html`<${Outcome} ...${outcome} />`}</details>`;
}

function Restore() {
  const [run, outcome] = useWork();
  const restore = run(async ({ target: { elements } }) => {
    const name = elements.name.value || namespace;
    await change(pathOf(name, "/restore"), { body: elements.file.files[0], type: "application/vnd.sqlite3" });
    return html`<a href=${consoleOf(name)}>${visible(name)}</a> is restored.`;
  });
  return html`<details><summary>Restore a snapshot</summary><form class="fields" onSubmit=${restore}>
    <label>File <input type="file" name="file" accept=".sqlite3" required /></label>
    <label>Into <input type="text" name="name" placeholder=${namespace} /></label><button>Restore</button></form><${Outcome} ...${outcome} /></details>`;
}

export function Component() {
  const found = useSignal({ namespaces: [] }), wanted = useSignal(""), [run, outcome] = useWork();
  const load = () => call(`namespaces?detail=true&limit=${MOST}&q=${encodeURIComponent(wanted.value)}`).then((answer) => (found.value = answer), () => {});
  useEffect(() => {
    load(); // other namespaces have change numbers of their own
    const timer = setInterval(() => document.hidden || load(), EVERY_MILLISECONDS);
    return () => clearInterval(timer);
  }, [changes.value?.number, wanted.value]);
  const act = (work) => run(() => work().finally(load));
  const create = async () => {
    const { name } = await call("namespaces", { method: "POST", body: wanted.value ? { name: wanted.value } : {} });
    return `${name} is created.`;
  };
  const { namespaces, next } = found.value;
  return html`<${Outcome} ...${outcome} />
    <form class="fields" onSubmit=${act(create)}>
      <label>Find or create <input type="text" value=${wanted} onInput=${(event) => (wanted.value = event.target.value)} /></label>
      <button disabled=${namespaces.some((each) => each.name === wanted.value)}>Create</button></form>
    <${Seed} /><${Restore} />
    <ul class="list">${namespaces.map((each) => html`<${Row} key=${each.name} each=${each} act=${act} />`)}</ul>
    ${next && html`<p class="sub">${MOST} are shown: find others by their names.</p>`}`;
}
