// The card that answers: is every number here, and if not, what became of it?

import { $, el, list, text } from "/static/ui/dom.js";
import { capital, count, moment } from "/static/ui/format.js";
import * as words from "./words.js";

const states = [["data", "here"], ["thinned", "summaries only"], ["dropped", "lost, with cause"], ["rejected", "set aside"], ["missing", "missing"]];
const names = { telemetry: "readings", event: "events", alert: "alerts" };
const most = 50; // ranges of a lane that are listed
const unknown = {
  crash: "whatever was not yet on the card when the gateway died, at most the last second, is lost",
  card_lost: "whatever the lost card alone had held; nobody knows how much that was",
};
const short = 12; // lines that need no folding

export class Completeness {
  #opened = false; #shown = "";

  // show takes the API's completeness of a device and the device.
  show(complete, device, now) {
    const { totals, streams } = complete;
    const { level, text: sentence } = words.completeness(totals, streams, device);
    $("#complete").dataset.level = level;
    text($("#complete").lastElementChild, sentence);
    text($("#backlog"), words.backlogSentence(device, totals, now));
    this.#bar(totals, sentence);
    const said = JSON.stringify(streams);
    if (said === this.#shown) return;
    this.#shown = said;
    this.#list(streams, now);
  }

  #bar(totals, sentence) {
    const there = states.filter(([state]) => totals[state] > 0);
    list($("#complete-bar"), there, ([state]) => state, () => el("span"), (node, [state]) => {
      node.dataset.state = state;
      node.style.flexGrow = totals[state] / totals.head;
    });
    $("#complete-bar").setAttribute("aria-label", sentence);
    list($("#complete-key"), there, ([state]) => state, () => el("li", {}, el("span", { class: "swatch" }), el("span")), (node, [state, name]) => {
      node.dataset.state = state;
      text(node.lastElementChild, `${count(totals[state])} ${name}`);
    });
  }

  #list(streams, now) {
    list($("#streams"), streams, (s) => s.stream, () => el("li", {}, el("h3"), el("div")), (node, s) => {
      const ended = { running: "running", clean: "ended cleanly", crash: "ended without a clean stop", lost: "lost with its card" }[s.ended] ?? s.ended;
      text(node.firstElementChild, `Stream ${s.stream.slice(0, 8)}… · since ${moment(s.first_seen, now)} · ${ended}`);
      node.lastElementChild.replaceChildren(...s.lanes.map(lane));
    });
    if (this.#opened) return;
    this.#opened = true; // from here on the reader opens and closes
    const lines = streams.reduce((sum, s) => sum + 1 + s.lanes.reduce((n, l) => n + 1 + l.ranges.length, 0), 0);
    $("#complete-list").open = lines <= short;
  }
}

// lane makes the lines of one lane: how many numbers are here, and each range that is not.
function lane(l) {
  const name = capital(names[l.lane] ?? l.lane);
  const sentence = l.head === 0 ? `${name}: none yet.`
    : l.data === l.head ? (l.head === 1 ? `${name}: number 1 is here.` : `${name}: every number 1…${count(l.head)} is here.`)
      : `${name}: ${count(l.data)} of the numbers 1…${count(l.head)} are here.`;
  const rows = l.ranges.slice(0, most).map((r) => row(r.state, words.range(r)));
  if (l.truncated || l.ranges.length > most) rows.push(row("", "… and more; the API lists them."));
  if (l.open) rows.push(row("dropped", `from number ${count(l.open.first)} on: ${unknown[l.open.cause] ?? l.open.cause}`));
  return el("div", { class: "lane" }, el("p", {}, sentence), rows.length ? el("ul", { class: "ranges" }, ...rows) : null);
}

function row(state, sentence) {
  const node = el("li", {}, capital(sentence));
  if (state) node.dataset.state = state;
  return node;
}
