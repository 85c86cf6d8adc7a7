// What every page loads.
import htmx from "htmx.org/dist/htmx.esm.js";
import "./shell.js";
import "./upload.js";
import "./sheet.js";
import "./form.js";
import "./lookup.js";
import "./lookups.js";
import "./lines.js";
import "./live.js";
import "./rich.js";
import "./color.js";
import "./list.js";
import "./inbox.js";
import "./unmask.js";
import "./bell.js";
import "./stages.js";

window.htmx = htmx;
// Settling puts old class and style back on elements with the same id, and hides selects after a 422.
htmx.config.defaultSettleDelay = 0;
htmx.config.history = false;
