// Alerts in words. Both pages show the newest step of each alert, open ones first.

import { ago, bare, capital, duration, moment, number, quantityName, withUnit } from "./format.js";
import { el, empty, list, text, $ } from "./dom.js";

const open = (alert) => alert.state !== "cleared";

// sorted puts open alerts first, then the newest.
export const sorted = (alerts) => [...alerts].sort((a, b) => open(b) - open(a) || Date.parse(b.time) - Date.parse(a.time));

const name = (alert) => capital(alert.rule.replaceAll(/[_-]/g, " "));

// sentence says what an alert is about: "Temperature of bme280-1-76 is 8.40 °C; the threshold is 8 °C".
export function sentence(alert, unit, precision) {
  const what = `${quantityName(alert.quantity)} of ${alert.sensor}`;
  const value = withUnit(number(alert.value, precision), unit);
  const threshold = withUnit(bare(alert.threshold), unit);
  if (open(alert)) return `${what} reached ${value}; the threshold is ${threshold}.`;
  return `${what} is back at ${value}. Peak ${withUnit(number(alert.peak, precision), unit)}, threshold ${threshold}.`;
}

// life says since when an alert stands, or from when to when it stood.
export function life(alert, now) {
  const by = alert.by ? `, acknowledged by ${alert.by}` : "";
  const since = moment(alert.since, now);
  if (alert.state === "cleared") {
    const lasted = duration(alert.duration_s ? alert.duration_s * 1000 : Date.parse(alert.time) - Date.parse(alert.since));
    return `raised ${since}, cleared ${moment(alert.time, now)} after ${lasted}${by}`;
  }
  return `raised ${since}, ${ago(alert.since, now)}${by}`;
}

// beside says what else the reading of an alert's newest step said: "with humidity 61.0 %".
export function beside(alert, describe) {
  const others = Object.entries(alert.values ?? {}).filter(([quantity]) => quantity !== alert.quantity).slice(0, 4);
  const words = others.map(([quantity, value]) => {
    const { unit, precision } = describe(alert, quantity);
    return `${quantityName(quantity).toLowerCase()} ${withUnit(number(value, precision), unit)}`;
  });
  return words.length ? ` Beside it: ${words.join(", ")}.` : "";
}

const most = 12; // are shown

// show fills an <ol> with alerts. describe(alert, quantity) returns {unit, precision} of a quantity of its sensor; acknowledge(alert)
// is what its button does, null where nobody here may; asked(alert) is whether that is under way.
export function show(parent, alerts, now, describe, acknowledge = null, asked = () => false) {
  const shown = sorted(alerts).slice(0, most);
  empty(parent, shown, "No alert so far.");
  list(parent, shown, (a) => `${a.device ?? ""} ${a.id}`, () => el("li", { class: "alert", "data-test": "alert" },
    el("p", { class: "alert-head" }, el("strong"), el("span", { class: "chip" })),
    el("p", { class: "alert-text" }),
    el("p", { class: "quiet" }),
    el("button", { class: "button plain", type: "button", "data-test": "acknowledge" }, "Acknowledge")), (node, alert) => {
    const { unit, precision } = describe(alert, alert.quantity);
    const seen = $("button", node);
    seen.hidden = !acknowledge || alert.state !== "raised";
    seen.disabled = asked(alert);
    seen.onclick = () => acknowledge?.(alert);
    node.dataset.state = alert.state;
    node.dataset.level = open(alert) ? (alert.severity === "critical" ? "bad" : alert.severity === "warning" ? "warn" : "info") : "past";
    text($("strong", node), alert.message || name(alert));
    text($(".chip", node), open(alert) ? `${alert.severity} · ${alert.state}` : "cleared");
    text($(".alert-text", node), sentence(alert, unit, precision) + beside(alert, describe));
    text($(".quiet", node), `${alert.message ? name(alert) + " · " : ""}${life(alert, now)}`);
  });
}
