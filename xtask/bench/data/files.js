// Sends files from one page to another. In addition to what measure.js describes, the connection of each contestant has
// { sendFile(blob, onprogress) → promise, onfile: called with every complete blob }; `onprogress` is called often while
// the file is sent.
{
  const digestOf = async (blob) => {
    const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
    return new Uint8Array(digest).join();
  };

  // All words differ, so that a wrong order is noticed.
  const makeFile = (size) => {
    const words = new Uint32Array(size / 4);
    for (let at = 0; at < words.length; at += 1) {
      words[at] = Math.imul(at, 2654435761);
    }
    return new Blob([words]);
  };

  // Runs in the other page: reports that a file has arrived and then, outside of the measured time, its digest.
  bench.receiveFiles = async (check) => {
    const link = await bench.link;
    link.onfile = async (blob) => {
      link.send({ came: blob.size });
      if (check) {
        link.send({ digest: await digestOf(blob) });
      }
    };
  };

  // The milliseconds without messages before a file is sent. Files during messages are measured by tripsDuringFiles.
  const SILENCE = 1000;

  // Measures the milliseconds until the other page reports that it has the file.
  bench.file = async (size) => {
    const link = await bench.link;
    const blob = makeFile(size);
    const digest = await digestOf(blob);
    const waiting = {};
    const word = (name) => new Promise((resolve) => (waiting[name] = resolve));
    const [came, its] = [word("came"), word("digest")];
    link.onvalue = (value) => Object.keys(value).forEach((name) => waiting[name](value[name]));
    await new Promise((resolve) => setTimeout(resolve, SILENCE));
    const start = performance.now();
    await link.sendFile(blob, () => {});
    const arrived = await came;
    const millis = performance.now() - start;
    if (arrived !== size || (await its) !== digest) {
      throw new Error("the file that arrived differs from the one that was sent");
    }
    return millis;
  };

  // Measures how long questions take while files are sent, one after the other. Questions between two files do not count.
  bench.tripsDuringFiles = async (count, size) => {
    const link = await bench.link;
    const blob = makeFile(size);
    link.onvalue = () => {};
    let over = false;
    let moving;
    const load = (async () => {
      while (!over) {
        const file = {};
        await link.sendFile(blob, () => (moving = file));
        moving = undefined;
      }
    })();
    const millis = [];
    while (millis.length < count) {
      const file = moving;
      const start = performance.now();
      await link.ask(millis.length);
      const taken = performance.now() - start;
      if (file && file === moving) {
        millis.push(taken);
      }
    }
    over = true;
    await load;
    return millis.sort((a, b) => a - b);
  };
}
