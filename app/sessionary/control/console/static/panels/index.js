// The panels. Each is a module with `id`, `title` and `Component`, and may have:
//   Header         a component for the page's header (the clock, the namespaces)
//   badge()        what its button shows beside the title; "" for nothing
//   isOffered()    false where it has no meaning, as on a server
//   isFixed        it has no button: it stands below the explanation
//   hasNoButton    it is opened from elsewhere: by its header, or by a link
//   keys           more keys: `[key, what it does, function]`
import * as call from "./call.js";
import * as clock from "./clock.js";
import * as diff from "./diff.js";
import * as faults from "./faults.js";
import * as journal from "./journal.js";
import * as leaks from "./leaks.js";
import * as namespaces from "./namespaces.js";
import * as server from "./server.js";

export const panels = [namespaces, clock, faults, diff, leaks, server, call, journal];
export const offered = () => panels.filter((each) => each.isOffered?.() ?? true);
