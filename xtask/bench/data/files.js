// Sends files from one page to another. Besides what measure.js says, whoever is measured has
// { sendFile(blob, onprogress) → promise, onfile: called with every blob that came as a whole }; `onprogress` is called
// often while the file is on its way.
{
  const digestOf = async (blob) => {
    const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
    return new Uint8Array(digest).join();
  };

  // Not all the same, or it could come in another order unnoticed.
  const makeFile = (size) => {
    const words = new Uint32Array(size / 4);
    for (let at = 0; at < words.length; at += 1) {
      words[at] = Math.imul(at, 2654435761);
    }
    return new Blob([words]);
  };

  // The other page: says that a file came, and then, out of the time that counts, what it was if that is to be checked.
  bench.receiveFiles = async (check) => {
    const link = await bench.link;
    link.onfile = async (blob) => {
      link.send({ came: blob.size });
      if (check) {
        link.send({ digest: await digestOf(blob) });
      }
    };
  };

  // Nothing was said for so many milliseconds when a file is sent. Who lets files wait for talk is measured apart.
  const SILENCE = 1000;

  // How many milliseconds pass until the other page has said that it has the file.
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
      throw new Error("the file did not arrive as it was");
    }
    return millis;
  };

  // How long questions take to be answered while a file is on its way, one file after the other. What is asked between
  // two files does not count.
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
