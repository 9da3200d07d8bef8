// Sessions that are open, with the calls that opened them.
import { html } from "../vendor/preact.js";

export const id = "leaks";
export const title = "Leaks";

export function Component() {
  return html`<p class="sub">Nothing is shown here yet.</p>`;
}
