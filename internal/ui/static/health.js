// The health of the machine and of its buses: sensors like others, shown beside what the chips measure and not among it.

import { el, list, text } from "./dom.js";
import { bytes, capital, duration, number, withUnit } from "./format.js";

export const isHealth = (sensor) => sensor.chip === "host" || sensor.chip === "bus";

const states = {
  undervoltage_state: ["supply", "holds", "under-voltage"],
  throttled_state: ["speed", "at full speed", "throttled"],
  frequency_capped_state: ["clock", "not capped", "capped"],
};

const names = {
  cpu_temperature_celsius: "processor", load_ratio: "load of a core", disk_free_ratio: "part of the disk free",
  nack_ratio: "not acknowledged", error_ratio: "failed", retry_ratio: "taken again", latency_seconds: "latency, mean",
  latency_max_seconds: "latency, most",
};

// what tells what a quantity is, without its unit.
const what = (quantity) => states[quantity]?.[0] ?? names[quantity] ?? quantity.replace(/_(celsius|bytes|seconds|ratio|count)$/, "").replaceAll("_", " ");

function told({ quantity, value, unit, precision }) {
  if (states[quantity]) return states[quantity][value ? 2 : 1];
  if (quantity.endsWith("_bytes")) return bytes(value);
  if (quantity === "uptime_seconds") return duration(value * 1000);
  if (quantity.endsWith("_seconds")) return withUnit(number(value * 1000, 2), "ms");
  if (quantity.endsWith("_ratio")) return withUnit(number(value * 100, 1), "%");
  return withUnit(number(value, precision), unit);
}

// show fills the card with a list for each of these sensors, and hides it where there is none. An item is one quantity:
// {sensor, quantity, unit, precision, value}; without a value, nothing is known of it.
export function show(card, all) {
  const items = all.filter((item) => item.value !== null && item.value !== undefined);
  card.hidden = items.length === 0;
  const sensors = [...new Set(items.map((item) => item.sensor))];
  list(card.querySelector(".health"), sensors, (name) => name, () => el("div", {}, el("h3"), el("dl", { class: "facts" })), (node, name) => {
    text(node.querySelector("h3"), name === "host" ? "machine" : `bus ${name}`);
    const rows = items.filter((item) => item.sensor === name).flatMap((item) => [["dt", item, capital(what(item.quantity))], ["dd", item, told(item)]]);
    list(node.querySelector("dl"), rows, ([tag, item]) => tag + item.quantity, ([tag]) => el(tag), (cell, [, , words]) => text(cell, words));
  });
}
