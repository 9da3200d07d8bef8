// The clock of the namespace: freeze, run, advance.
import { html } from "../vendor/preact.js";

export const id = "clock";
export const title = "Clock";

export function Component() {
  return html`<p class="sub">Nothing is shown here yet.</p>`;
}
