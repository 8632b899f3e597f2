// Runs before the page's own scripts, and measures a long conversation in the page, or in the panel on somebody's page.
(() => {
  const now = () => performance.timeOrigin + performance.now();
  // Calls back once what has changed is drawn.
  const drawn = (then) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = then;
      port2.postMessage(0);
    });
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const root = () => document.querySelector("rt-chat")?.shadowRoot ?? document;
  const find = (hook) => root().querySelector(`[data-testid="${hook}"]`);
  const lines = () => Number(find("log")?.dataset.lines ?? 0);

  const tasks = [];
  new PerformanceObserver((list) => tasks.push(...list.getEntries())).observe({ type: "longtask", buffered: true });

  const chat = (window.chat = {
    lines,
    // When a message could be written first, in milliseconds since navigating to the page.
    async ready() {
      while (!find("composer")?.checkVisibility()) {
        await frame();
      }
      return performance.now();
    },
    // Notes in `done`, once this many lines are there, the milliseconds since the person was connected, and those of the
    // longest task meanwhile, of which browsers report those above 50 ms.
    async catchUp(user, count) {
      delete chat.done;
      const person = `[data-testid="peer"][data-user="${user}"][data-state="verified"]`;
      while (!root().querySelector(person)) {
        await frame();
      }
      const began = performance.now();
      while (lines() < count) {
        await frame();
      }
      const took = performance.now() - began;
      await new Promise((resolve) => setTimeout(resolve, 300));
      const since = tasks.filter(({ startTime }) => startTime >= began);
      chat.done = [took, Math.max(0, ...since.map(({ duration }) => duration))];
    },
    // Scrolls up by this many pixels in each of so many frames. Returns the main thread's milliseconds in each.
    async scroll(frames, pixels) {
      const log = find("log").closest(".log");
      log.scrollTop = log.scrollHeight;
      await frame();
      await frame();
      const works = [];
      let began;
      const begin = () => {
        began ??= performance.now();
      };
      document.addEventListener("scroll", begin, { capture: true });
      for (let count = 0; count < frames; count += 1) {
        await new Promise((next) =>
          requestAnimationFrame(() => {
            begin();
            log.scrollTop -= pixels;
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => {
              works.push(performance.now() - began);
              began = undefined;
              next();
            };
            port2.postMessage(0);
          }),
        );
      }
      document.removeEventListener("scroll", begin, { capture: true });
      log.scrollTop = log.scrollHeight;
      return works.slice(1);
    },
    // Scrolls up until nothing older comes, and back to the end.
    async readUp() {
      const log = find("log").closest(".log");
      let before = -1;
      while (lines() > before) {
        before = lines();
        for (let frames = 0; frames < 300 && lines() < before + 100; frames += 1) {
          log.scrollTop = frames % 2 === 0 ? 400 : 0;
          await frame();
        }
      }
      log.scrollTop = log.scrollHeight;
    },
    // Looks for these words, each of which stands in one message. Returns the milliseconds until each was found and drawn.
    async search(words) {
      const field = find("search");
      const look = (text) => {
        field.value = text;
        field.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
      };
      const times = [];
      for (const word of words) {
        const began = performance.now();
        look(word);
        while (!find("search-result")?.textContent.includes(word)) {
          await frame();
        }
        await new Promise(drawn);
        times.push(performance.now() - began);
        look("");
        while (find("search-result")) {
          await frame();
        }
      }
      return times;
    },
    // The milliseconds from each key to its letter.
    keys: [],
    // Says something, and returns when.
    say(text) {
      const area = find("composer");
      area.value = text;
      const at = now();
      area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, composed: true }));
      return at;
    },
    // When each of these words was drawn first, once all are.
    async seen(words) {
      const at = new Map();
      while (at.size < words.length) {
        const last = [...root().querySelectorAll('[data-testid="message-text"]')].slice(-5);
        for (const { textContent } of last) {
          if (words.includes(textContent) && !at.has(textContent)) {
            at.set(textContent, 0);
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => at.set(textContent, now());
            port2.postMessage(0);
          }
        }
        await frame();
      }
      await frame();
      return words.map((word) => at.get(word));
    },
    // The same over a bare data channel.
    async bareSay(text) {
      const link = await bench.link;
      const at = now();
      link.send(text);
      return at;
    },
    async bareSeen(words) {
      const link = await bench.link;
      const at = new Map();
      await new Promise((resolve) => {
        link.onvalue = (word) => {
          const said = document.createElement("p");
          said.textContent = word;
          document.body.append(said);
          drawn(() => {
            at.set(word, now());
            if (at.size === words.length) {
              resolve();
            }
          });
        };
      });
      return words.map((word) => at.get(word));
    },
    // Opens the panel, and returns the milliseconds until its last messages are drawn.
    async open() {
      const began = performance.now();
      find("launcher").click();
      while (!find("message")) {
        await new Promise((resolve) => setTimeout(resolve));
      }
      await new Promise(drawn);
      return performance.now() - began;
    },
  });
  document.addEventListener("keydown", ({ timeStamp }) => drawn(() => chat.keys.push(performance.now() - timeStamp)), {
    capture: true,
  });
})();
