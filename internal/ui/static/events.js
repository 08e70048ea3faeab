// Events in words: what happened on a device, for people.

import { bare, capital, moment, plural } from "./format.js";
import { edgeMode, edgeReason } from "./edge.js";
import { el, empty, list, text, $ } from "./dom.js";

const because = (data) => [data.origin && `by ${data.origin}`, data.reason].filter(Boolean).join(": ");

function setting(data) {
  if (data.key === "measuring") return [data.value ? "Measuring started" : "Measuring stopped", because(data)];
  if (data.key?.startsWith("sampling.interval")) {
    const sensor = data.key.slice("sampling.interval.".length);
    return [`Interval set to ${bare(data.value)} s`, [sensor, because(data)].filter(Boolean).join(" · ")];
  }
  if (data.key?.startsWith("output.")) return [`Output ${data.key.slice("output.".length)} set ${data.value ? "on" : "off"}`, because(data)];
  if (data.key === "rules") return ["Rules changed", because(data)];
  if (data.value === null) return [`${data.key} is not set any more`, because(data)];
  return [`${data.key} set to ${JSON.stringify(data.value)}`, because(data)];
}

function boot(data) {
  const before = !data.previous ? "first start on this card"
    : data.previous.clean ? "the run before ended cleanly" : "the run before ended without a clean stop";
  return ["Gateway started", [data.version && `version ${data.version}`, before].filter(Boolean).join(" · ")];
}

function rules(d) {
  if (d.state === "broken") return [`Rule ${d.rule} is broken`, d.error];
  const set = d.version ? `Rules version ${d.version}` : "Rules";
  const states = { loaded: d.version ? "in force" : "are no more", proven: "proved themselves", rejected: "were taken back", refused: "were not taken" };
  return [`${set} ${states[d.state] ?? d.state}`, [d.origin && `from ${d.origin}`, d.rule && `rule ${d.rule}`, d.error].filter(Boolean).join(" · ")];
}

function action(d) {
  const rule = `rule ${d.rule}`;
  if (d.state === "missing") return [`Rule ${d.rule} has nothing to switch`, d.error];
  if (d.action === "interval") {
    const what = d.sensor ? `Sensor ${d.sensor} is read` : "Sensors are read";
    return d.state === "begun" ? [`${what} every ${bare(d.every_s)} s`, `by ${rule}`] : [`${what} as before`, `${rule} is done`];
  }
  const states = { failed: "fails", recovered: "is posted again" };
  return [`${capital(d.action ?? "action")} of ${rule} ${states[d.state] ?? d.state}`, d.error];
}

function schedule(d) {
  const states = { fired: "is due", late: "comes late", skipped: "was passed over", waiting: "waits for the clock" };
  return [`Schedule ${d.rule} ${states[d.state] ?? d.state}`, [d.due && `due ${d.due}`, d.missed && `${plural(d.missed, "instant")} missed`].filter(Boolean).join(" · ")];
}

const table = {
  action,
  boot,
  schedule,
  setting,
  anchor: () => ["Clock synchronised", "readings taken before get their true time"],
  sensor: (d) => [`Sensor ${d.sensor} ${{ ok: "answers", lost: "is lost", degraded: "fails at times", absent: "is absent", identifying: "is being identified" }[d.state] ?? d.state}`, d.error],
  button: (d) => [d.press === "double" ? "Moment marked" : "Button pressed", [d.origin === "page" && "on the page", d.press && `${d.press} press`].filter(Boolean).join(", ")],
  command: (d) => [`Command ${d.name} ${d.state?.replace("_", " ")}`, [d.from && `from ${d.from}`, d.error?.message].filter(Boolean).join(" · ")],
  rules,
  buffer: (d) => [`Buffer ${d.state}`, [d.records && plural(d.records, "record"), d.error].filter(Boolean).join(" · ")],
  link: (d) => [`Broker ${d.broker ?? ""} ${{ trial: "is on trial", accepted: "has proven itself", rejected: "did not prove itself" }[d.state] ?? d.state ?? ""}`, d.error],
  edge: (d) => [edgeMode(d), edgeReason(d)],
  config: (d) => ["Mistakes in the configuration", (d.mistakes ?? []).join(" · ")],
  output: (d) => [`Output ${d.output ?? ""} ${d.error ? "fails" : d.on ? "on" : "off"}`, [d.error, because(d)].filter(Boolean).join(" · ")],
};

// words returns [title, detail] of an event; of an unknown one, its name and its data as they are.
export function words(event) {
  const data = event.data ?? {};
  const known = table[event.event];
  const [title, detail] = known ? known(data) : [capital(event.event), JSON.stringify(data)];
  return [title.trim(), detail || ""];
}

// show fills an <ol> with events, newest first. key tells events apart; most bounds the list.
export function show(parent, events, now, key, most = 12) {
  const shown = events.slice(0, most);
  empty(parent, shown, "Nothing has happened yet.");
  list(parent, shown, key, () => el("li", { class: "event" }, el("time"), el("p", {}, el("strong"), el("span", { class: "quiet" }))), (node, event) => {
    const [title, detail] = words(event);
    const time = $("time", node);
    time.dateTime = event.time;
    text(time, moment(event.time, now));
    text($("strong", node), title);
    text($("span", node), detail);
  });
}
