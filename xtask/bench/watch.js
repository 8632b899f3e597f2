// Runs before anything else in every page that is measured, whoever wrote the page: what happened when, in milliseconds
// since the epoch. Tabs of one browser share that clock.
{
  const now = () => performance.timeOrigin + performance.now();
  const arrivals = [];
  const waiting = new Map();
  globalThis.bench = {
    now,
    // Set when joining begins. A page that joins by itself began with its navigation.
    start: performance.timeOrigin,
    started() {
      bench.start = now();
    },
    // So many others are connected and verified.
    arrived(count) {
      while (arrivals.length < count) {
        arrivals.push(now());
        waiting.get(arrivals.length)?.();
      }
    },
    // Waits for the count-th other.
    async met(count) {
      if (arrivals.length < count) {
        await new Promise((resolve) => waiting.set(count, resolve));
      }
      return [bench.start, arrivals[count - 1], document.visibilityState === "visible"];
    },
  };
}
