// What a device measures, as one item a quantity: the catalog's facts, the newest value, and what an alert says of it.

import { isHealth } from "/static/ui/health.js";
import { duration, isSet, unitOf } from "/static/ui/format.js";

const key = (x) => `${x.sensor} ${x.quantity}`;

export class Series {
  #items = new Map(); // by sensor and quantity, the catalog's first and in its order

  // update takes the API's device. A sample that came live stays where it is newer.
  update(device) {
    const items = new Map();
    for (const sensor of device.catalog?.sensors ?? []) {
      for (const q of sensor.quantities ?? []) {
        const item = { sensor: sensor.name, quantity: q.name, unit: q.unit, precision: q.precision, value: null, time: null, interval: 0, health: isHealth(sensor) };
        items.set(key(item), item);
      }
    }
    for (const l of device.latest) items.set(key(l), { unit: unitOf(l.quantity), interval: 0, ...items.get(key(l)), ...l, ...(l.unit ? {} : { unit: unitOf(l.quantity) }) });
    for (const [k, item] of items) {
      const old = this.#items.get(k);
      if (!old) continue;
      item.interval = old.interval;
      if (isSet(old.time) && (!isSet(item.time) || Date.parse(old.time) > Date.parse(item.time))) [item.value, item.time] = [old.value, old.time];
    }
    this.#items = items;
  }

  // sample takes a reading of the live stream and returns the items that it brought up to date.
  sample(reading) {
    const fresh = [];
    for (const [quantity, value] of Object.entries(reading.values)) {
      const k = key({ sensor: reading.sensor, quantity });
      const item = this.#items.get(k) ?? { sensor: reading.sensor, quantity, unit: unitOf(quantity), interval: 0, time: null };
      const apart = isSet(item.time) ? Date.parse(reading.time) - Date.parse(item.time) : 0;
      if (apart < 0) continue; // history that catches up
      Object.assign(item, { value, time: reading.time, interval: apart || item.interval });
      this.#items.set(k, item);
      fresh.push(item);
    }
    return fresh;
  }

  // items returns what the chips measure, or the health of machine and buses, each with level and stale as the cards show them.
  items(device, alerts, now, health = false) {
    return [...this.#items.values()].filter((item) => (item.health ?? false) === health).map((item) => ({ ...item, level: level(item, alerts), stale: stale(item, device, now) }));
  }
}

function level(item, alerts) {
  const open = alerts.filter((a) => a.state !== "cleared" && (key(a) === key(item) || key(a).startsWith(`${key(item)}_per_`)));
  return open.some((a) => a.severity === "critical") ? "bad" : open.some((a) => a.severity === "warning") ? "warn" : "";
}

// stale says why a value is old. How often a sensor is read shows in the live stream; until then a minute is taken for it.
function stale(item, device, now) {
  if (!isSet(item.time)) return "";
  const age = now - Date.parse(item.time);
  if (age < Math.max(10000, 3.5 * (item.interval || 60000))) return "";
  if (!device.online) return `from ${duration(age)} ago`;
  return device.state?.measuring === false ? `stopped ${duration(age)} ago` : `silent for ${duration(age)}`;
}
