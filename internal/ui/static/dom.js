// The few lines of DOM that the pages need. Whatever came from outside enters as text, never as markup.

export const $ = (selector, root = document) => root.querySelector(selector);

// el makes an element: el("li", { class: "alert", "aria-label": "…", onclick: f }, "text", child, null).
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// svg makes an SVG element.
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// text sets a node's text where it differs, so that screen readers and selections are left in peace.
export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

// attribute sets an attribute where it differs; null removes it.
export function attribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

// list keeps one child of parent for each item, in the items' order: made once by make(item), brought up to date by
// update(node, item), removed when its key is gone. Focus and animation of what stays are kept.
export function list(parent, items, key, make, update) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const id = String(key(item));
    let node = old.get(id);
    if (!node) {
      node = make(item);
      node.dataset.key = id;
    }
    old.delete(id);
    update?.(node, item);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  for (const node of old.values()) node.remove();
}

// empty says in a list's place that there is nothing, in a sentence.
export function empty(parent, items, sentence) {
  const hint = parent.nextElementSibling;
  parent.hidden = items.length === 0;
  if (hint?.matches(".empty")) {
    hint.hidden = items.length > 0;
    text(hint, sentence);
  }
}

// remember keeps a choice of the reader for this tab. A browser that forbids storage forgets, no more.
export const remember = {
  get(name) {
    try { return sessionStorage.getItem(name); } catch { return null; }
  },
  set(name, value) {
    try {
      if (value === null) sessionStorage.removeItem(name);
      else sessionStorage.setItem(name, value);
    } catch { /* forgotten */ }
  },
};
