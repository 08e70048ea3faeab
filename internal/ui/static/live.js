// One live stream of server-sent events that comes back by itself.

const retry = 2000; // ms until the next try

// live opens url and calls on[event](data) for each event ("message" for those without a name), state(true) when it hears
// something, state(false) when it stops hearing. A stream that says nothing for patience ms is closed and opened again: a
// phone that slept, or a cable that was pulled, gives no error. patience 0 waits for ever. It returns a function that ends it.
export function live(url, on, state, patience = 0) {
  let source, timer;
  const heard = () => {
    state(true);
    if (!patience) return;
    clearTimeout(timer);
    timer = setTimeout(lost, patience);
  };
  const lost = () => {
    source.close();
    state(false);
    clearTimeout(timer);
    timer = setTimeout(open, retry);
  };
  const open = () => {
    source = new EventSource(url);
    source.onopen = heard;
    source.onerror = lost;
    for (const [name, handle] of Object.entries(on)) {
      source.addEventListener(name, (event) => {
        heard();
        handle(JSON.parse(event.data));
      });
    }
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

// fetchJSON returns the body of an answer, or throws an Error with what the server's problem says.
export async function fetchJSON(url, options = {}) {
  const response = await fetch(url, { ...options, headers: { Accept: "application/json", ...options.headers } });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    const error = new Error(body.detail || body.title || `the server answered ${response.status}`);
    error.status = response.status;
    throw error;
  }
  return body;
}
