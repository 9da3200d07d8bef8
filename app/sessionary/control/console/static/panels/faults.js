// Faults: presets, windows, hits.
import { html } from "../vendor/preact.js";

export const id = "faults";
export const title = "Faults";

export function Component() {
  return html`<p class="sub">Nothing is shown here yet.</p>`;
}
