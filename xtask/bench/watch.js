// Runs before all other scripts in every page that is measured. It records the times of events, in milliseconds since
// the epoch. All tabs of one browser use the same clock.
{
  const now = () => performance.timeOrigin + performance.now();
  const arrivals = [];
  const waiting = new Map();
  globalThis.bench = {
    now,
    // When the page began to join. For a page that joins by itself, this is its navigation.
    start: performance.timeOrigin,
    started() {
      bench.start = now();
    },
    // Types a name as a person does, key by key, and waits as long after the last one.
    async typing(name, typed) {
      for (let length = 1; length <= name.length; length += 1) {
        typed(name.slice(0, length));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    // Records that this number of others are connected and verified.
    arrived(count) {
      while (arrivals.length < count) {
        arrivals.push(now());
        waiting.get(arrivals.length)?.();
      }
    },
    // Waits until this number of others are connected.
    async met(count) {
      if (arrivals.length < count) {
        await new Promise((resolve) => waiting.set(count, resolve));
      }
      return [bench.start, arrivals[count - 1], document.visibilityState === "visible"];
    },
  };
}
