// The receiver's page: the overview at /, one device at /devices/{id}, and the frame round both.

import { $, el, list, text } from "/static/ui/dom.js";
import { capital, duration } from "/static/ui/format.js";
import { DeviceView } from "./device.js";
import { Overview } from "./overview.js";
import { setClock } from "./poll.js";

const troubles = new Map(); // what could not be read, with its error
let since = 0, alive = null; // when the stream was lost

const page = {
  // heard tells whether the live stream stands.
  heard(now) {
    if (now === alive) return;
    alive = now;
    since = now ? 0 : Date.now();
    $("#pulse").dataset.level = now ? "good" : "bad";
    text($("#pulse").lastElementChild, now ? "live" : "no answer");
    show();
  },
  // trouble tells how the last question of that name went: error is null where well.
  trouble(name, error) {
    if (error) troubles.set(name, error);
    else troubles.delete(name);
    show();
  },
};

function show() {
  const found = [];
  if (alive === false) {
    const old = Date.now() - since > 2000 ? ` What you see is ${duration(Date.now() - since)} old.` : "";
    found.push({ title: "This page cannot reach the receiver.", text: `It keeps trying.${old}` });
  } else {
    const byReason = Map.groupBy(troubles, ([, error]) => error.message);
    for (const [reason, of] of byReason) {
      found.push({ title: `Could not read ${of.map(([name]) => name).join(", ")}.`, text: `${capital(reason)}. It is tried again every few seconds.` });
    }
  }
  list($("#troubles"), found, (t) => t.title, () => el("li", { class: "notice" }, el("span", { class: "dot" }), el("strong"), el("span", { class: "quiet" })), (node, t) => {
    node.dataset.level = "bad";
    text($("strong", node), t.title);
    text($(".quiet", node), t.text);
  });
}

setInterval(show, 1000);
await setClock().catch(() => {}); // without it this browser's clock must do
const device = location.pathname.match(/^\/devices\/([^/]+)$/);
if (device) new DeviceView($("#content"), decodeURIComponent(device[1]), page);
else new Overview($("#content"), page);
