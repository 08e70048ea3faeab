// The parts of the page that only show: each takes a view and brings its piece of the page up to date.

import { ago, bare, count } from "/static/ui/format.js";
import { $, el, list, text } from "/static/ui/dom.js";
import * as words from "./words.js";

function dotted(node, level, sentence) {
  node.dataset.level = level;
  text(node.lastElementChild, sentence);
}

function facts(parent, rows) {
  list(parent, rows.flatMap(([term, value]) => [["dt", term, term], ["dd", term, value]]), ([tag, term]) => tag + term,
    ([tag]) => el(tag), (node, [, , value]) => text(node, value));
}

export function state(view, now) {
  const { level, title, why } = words.state(view, now);
  dotted($("#state"), level, title);
  $("#state").dataset.measuring = view.measuring;
  text($("#state-why"), why);
  text($("#device"), `gateway ${view.device}`);
  document.title = `${title} · ${view.device}`;
  text($("#foot"), `Version ${view.version} · running since ${ago(view.since, now)} · stream ${view.stream}`.replace("since just now", "since a moment ago"));
}

export function notices(problems) {
  list($("#notices"), problems, (p) => p.level + (p.id ?? p.title.replace(/\d.*/, "")), () => el("li", { class: "notice" }, el("span", { class: "dot" }), el("strong"), el("span", { class: "quiet" })), (node, p) => {
    node.dataset.level = p.level;
    text($("strong", node), p.title);
    text($(".quiet", node), p.text);
  });
}

export function link(view, now) {
  const l = words.link(view, now);
  dotted($("#link"), l.level, l.text);
  facts($("#link-facts"), l.facts);
}

export function buffer(view, now) {
  const b = words.buffer(view, now);
  dotted($("#buffer"), b.level, b.text);
  facts($("#buffer-facts"), b.facts);
  const bar = $("#buffer-bar");
  if (!bar.children.length) bar.append(el("span"), el("span"));
  const [fill, free] = bar.children;
  fill.dataset.state = "fill";
  free.dataset.state = "empty";
  fill.style.flexGrow = b.part;
  free.style.flexGrow = 1 - b.part;
  bar.setAttribute("aria-label", `${Math.round(b.part * 100)} % of the space is used`);
}

const levels = { ok: "good", degraded: "warn", lost: "bad", absent: "bad", identifying: "info" };

export function sensors(view, now) {
  const cells = () => ["", "", "", "", "n", "n", "n", "n", "n", "n"].map((kind) => el("td", kind ? { class: kind } : {}));
  list($("#sensors"), view.sensors, (s) => s.name, () => el("tr", {}, ...cells()), (row, s) => {
    const cell = row.children;
    if (!cell[2].children.length) cell[2].append(el("span", { class: "dot" }), el("span"));
    text(cell[0], s.name);
    text(cell[1], s.chip);
    dotted(cell[2], levels[s.state] ?? "", s.error ? `${s.state}: ${s.error}` : s.state);
    text(cell[3], ago(s.time, now));
    text(cell[4], `${bare(s.interval_s)} s`);
    [s.samples, s.skipped, s.errors, s.suspect, s.bad].forEach((n, i) => text(cell[5 + i], count(n)));
  });
}
