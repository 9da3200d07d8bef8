// What the panels share: work with its outcome, what may be changed, and the unlock of a server.
import { html, signal, useEffect, useRef, useSignal } from "../vendor/preact.js";
import { changes } from "../api.js";
import { laneOf } from "../lanes.js";
import { select } from "../state.js";
import { shortened, visible } from "../text.js";

export const isServer = () => changes.value?.role === "server";
export const isReadOnly = () => changes.value?.readonly === true;
const isUnlocked = signal(false);
/** Whether the page offers changes: on a server only after it was unlocked. */
export const mayChange = () => !isReadOnly() && (!isServer() || isUnlocked.value);

/** Handlers that do work, and its outcome: `run(work)` is a handler; `work` returns what to say. */
export function useWork() {
  const outcome = useSignal({});
  const run = (work) => async (event) => {
    event?.preventDefault?.();
    try {
      outcome.value = { said: await work(event) };
    } catch (error) {
      outcome.value = { error };
    }
  };
  return [run, outcome.value];
}

export function Outcome({ error, said }) {
  if (error) return html`<p class="error" role="alert">${visible(error.message, 3000)}</p>`;
  return said ? html`<p role="status">${said}</p>` : null;
}

const SHORT = 21;

/** A button that chooses a session, by its title or its id. */
export function SessionButton({ surface, id, instant }) {
  const key = `${surface}/${id}`, title = laneOf(key)?.title || id;
  return html`<button title=${visible(id)} onClick=${() => select(key, instant)}>${surface} ${visible(shortened(title, SHORT))}</button>`;
}

/** A button with a question before it does something that cannot be undone. */
export function SureButton({ what, question, onSure }) {
  const isAsked = useSignal(false), button = useRef();
  useEffect(() => void (isAsked.value && button.current.focus()), [isAsked.value]);
  const answer = (handler) => () => {
    isAsked.value = false;
    handler?.();
  };
  if (!isAsked.value) return html`<button onClick=${() => (isAsked.value = true)}>${what}</button>`;
  return html`<span class="group" role="group" aria-label=${question}>
    ${question} <button class="go" ref=${button} onClick=${answer(onSure)}>${what}</button>
    <button onClick=${answer()}>Cancel</button></span>`;
}

/** What stands between a visitor of a server and its data; on a double nothing. */
export function Unlock() {
  const typed = useSignal("");
  if (!isServer()) return null;
  if (isReadOnly()) return html`<p class="sub">This console can only read: the server runs with --control-readonly.</p>`;
  if (isUnlocked.value) return html`<p><button onClick=${() => (isUnlocked.value = false)}>Lock</button> <span class="sub">Changes are made to production data.</span></p>`;
  const unlock = (event) => {
    event.preventDefault();
    isUnlocked.value = typed.value === location.host;
  };
  return html`<form class="group" onSubmit=${unlock}>
    <label>Type <b>${location.host}</b> to change production data <input type="text" value=${typed} onInput=${(event) => (typed.value = event.target.value)} /></label>
    <button disabled=${typed.value !== location.host}>Unlock</button></form>`;
}

/** Keep the file that a response holds. */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
