// Asking the receiver again and again, and what its clock says.

// every calls load() now and then ms after each time it ended, and tells ended(error) how it went, null where well.
// It returns {again, stop}: again() asks at once, or once more where a question is under way.
export function every(ms, load, ended = () => {}) {
  let timer, stopped = false, busy = false, wanted = false;
  const run = async () => {
    clearTimeout(timer);
    if (stopped) return;
    if (busy) {
      wanted = true;
      return;
    }
    busy = true;
    wanted = false;
    let failure = null;
    try {
      await load();
    } catch (error) {
      failure = error;
    }
    busy = false;
    if (stopped) return;
    ended(failure);
    timer = setTimeout(run, wanted ? 250 : ms); // those who ask all at once are answered once
  };
  run();
  return {
    again: run,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

let offset = 0; // the receiver's clock less this browser's, in ms; small differences are left alone

// now is the receiver's time as far as it is known, in ms.
export const now = () => Date.now() + offset;

// setClock asks the receiver for its time.
export async function setClock() {
  const response = await fetch("/static/ui/icon.svg", { method: "HEAD", cache: "no-store" });
  const told = Date.parse(response.headers.get("Date") ?? "");
  const apart = told + 500 - Date.now(); // the header has whole seconds
  offset = Math.abs(apart) > 3000 ? apart : 0;
}
