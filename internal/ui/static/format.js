// Numbers, units, names and times as people read them. Pure: what depends on the present takes it as an argument.

const minus = (text) => text.replace("-", "−");

// number writes value with that many decimals; without decimals given, with as many as its size deserves.
export function number(value, decimals) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  const places = decimals ?? (size >= 100 ? 1 : size >= 1 ? 2 : 3);
  const fixed = (Math.abs(value) < 0.5 * 10 ** -places ? 0 : value).toLocaleString("en", {
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  });
  return minus(fixed);
}

// bare writes a number without needless zeros: thresholds, intervals.
export const bare = (value) => minus(Number(value).toLocaleString("en", { maximumFractionDigits: 4 }));

export const count = (n) => Number(n ?? 0).toLocaleString("en");

// plural writes "1 reading", "12 readings".
export const plural = (n, one, many = one + "s") => `${count(n)} ${n === 1 ? one : many}`;

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// What a quantity's name ends in, and how people write it. Longer endings first.
const units = [
  ["microgram_per_cubic_meter", "µg/m³"], ["meter_per_second_squared", "m/s²"], ["meter_per_second", "m/s"],
  ["degree_per_second", "°/s"], ["cubic_meter", "m³"], ["watt_hour", "Wh"], ["celsius", "°C"], ["kelvin", "K"],
  ["fahrenheit", "°F"], ["hectopascal", "hPa"], ["pascal", "Pa"], ["percent", "%"], ["ratio", ""], ["lux", "lx"],
  ["millivolt", "mV"], ["volt", "V"], ["milliampere", "mA"], ["ampere", "A"], ["milliwatt", "mW"], ["watt", "W"],
  ["joule", "J"], ["hertz", "Hz"], ["ohm", "Ω"], ["ppm", "ppm"], ["ppb", "ppb"], ["millimeter", "mm"],
  ["centimeter", "cm"], ["meter", "m"], ["second", "s"], ["byte", "B"],
  ["tesla", "T"], ["gram", "g"], ["kilogram", "kg"], ["degree", "°"], ["decibel", "dB"], ["count", ""], ["total", ""],
];
const functions = ["mean", "min", "max", "sum", "count"];

// ending finds the unit that a name ends in, also in the plural: pressure_pascals.
function ending(name) {
  for (const [word, unit] of units) {
    for (const tail of [`_${word}`, `_${word}s`]) if (name.endsWith(tail)) return { what: name.slice(0, -tail.length), unit };
  }
}

// The changes of a quantity that alerts are about: temperature_celsius_per_minute.
const change = /^(.+)_per_(second|minute|hour|day|[0-9][0-9a-z_]*)$/;
const times = { second: "s", minute: "min", hour: "h", day: "d" };

function changeOf(name) {
  const [, quantity, time] = change.exec(name) ?? [];
  const of = quantity && !units.some(([word]) => word.includes("_per_") && (name.endsWith(`_${word}`) || name.endsWith(`_${word}s`))) && ending(quantity);
  return of ? { what: `change of ${of.what}`, unit: `${of.unit || "1"}/${times[time] ?? time.replace("_", ".")}` } : undefined;
}

// split takes temperature_celsius_mean apart: what is measured, in which unit, and the function of an aggregate.
function split(quantity) {
  for (const fn of functions) {
    const of = quantity.endsWith(`_${fn}`) && ending(quantity.slice(0, -fn.length - 1));
    if (of) return { ...of, fn };
  }
  return { what: quantity, unit: "", ...(changeOf(quantity) ?? ending(quantity)), fn: "" };
}

// quantityName turns temperature_celsius into "Temperature", temperature_celsius_mean into "Temperature, mean".
export function quantityName(quantity) {
  const { what, fn } = split(quantity);
  return capital(what.replaceAll("_", " ")) + (fn ? ", " + fn : "");
}

// unitOf tells the unit where nobody gave one.
export const unitOf = (quantity) => split(quantity).unit;

// withUnit puts a unit behind a number with a thin space between, so that the two never part.
export const withUnit = (text, unit) => (unit ? `${text}\u202f${unit}` : text);

export function bytes(n) {
  if (n < 1024) return `${n} B`;
  const power = n < 1024 ** 2 ? 1 : n < 1024 ** 3 ? 2 : 3;
  const value = n / 1024 ** power;
  return `${value.toFixed(value < 10 ? 1 : 0)} ${["", "KiB", "MiB", "GiB"][power]}`;
}

// duration writes milliseconds in at most two steps: "4 s", "2 min", "3 h 5 min", "2 d 4 h".
export function duration(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return s < 600 && s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 60)} min`;
  const [big, small, a, b] = s < 86400 ? [3600, 60, "h", "min"] : [86400, 3600, "d", "h"];
  const rest = Math.floor((s % big) / small);
  return `${Math.floor(s / big)} ${a}${rest ? ` ${rest} ${b}` : ""}`;
}

// isSet tells a time from the zero time that Go writes.
export const isSet = (time) => Boolean(time) && !String(time).startsWith("0001-");

// ago writes how long before now (ms) time was.
export function ago(time, now) {
  if (!isSet(time)) return "never";
  const ms = now - new Date(time).getTime();
  return ms < 2000 ? "just now" : `${duration(ms)} ago`;
}

// moment writes a time of today as 12:04:09 and any other as 1 May 12:04, in the reader's time zone.
export function moment(time, now) {
  if (!isSet(time)) return "never";
  const at = new Date(time);
  const today = new Date(now).toDateString() === at.toDateString();
  const hour = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...(today && { second: "2-digit" }) });
  return today ? hour : `${at.getDate()} ${at.toLocaleString("en", { month: "short" })} ${hour}`;
}
