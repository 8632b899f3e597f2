// Sends data from one page to another, and measures how long that takes. The page of each contestant passes the connection
// to bench.links: { send(value) → promise, ask(value) → promise of the same value, onvalue: called with every value }.
{
  let links;
  bench.link = new Promise((resolve) => {
    links = resolve;
  });
  bench.links = (link) => {
    links(link);
    bench.arrived(1);
  };

  // The bytes that are sent on all data channels of the page.
  let bytes = 0;
  const { send } = RTCDataChannel.prototype;
  RTCDataChannel.prototype.send = function (data) {
    bytes += typeof data === "string" ? data.length : (data.byteLength ?? data.size);
    return send.call(this, data);
  };

  // A text or a block of this size, which begins with its number.
  const text = (number, size) => String(number).padStart(8, "0").padEnd(size, "x");
  const block = (number, size) => {
    const buffer = new ArrayBuffer(size);
    new DataView(buffer).setUint32(0, number);
    return buffer;
  };
  const numberOf = (value) => {
    if (typeof value === "string") {
      return Number(value.slice(0, 8));
    }
    return new DataView(value.buffer ?? value, value.byteOffset ?? 0).getUint32(0);
  };

  // Runs in the other page: counts the values, and reports when all have arrived and whether they were in order.
  bench.receive = async () => {
    const link = await bench.link;
    let series = { of: 0 };
    link.onvalue = (value) => {
      if (value?.of) {
        series = { of: value.of, count: 0, ordered: true };
        return;
      }
      series.ordered &&= numberOf(value) === series.count;
      series.count += 1;
      if (series.count === series.of) {
        link.send({ got: series.count, ordered: series.ordered });
      }
    };
  };

  const series = async (count, sendAll) => {
    const link = await bench.link;
    const confirmed = new Promise((resolve) => {
      link.onvalue = resolve;
    });
    const start = performance.now();
    const before = bytes;
    link.send({ of: count });
    await sendAll(link);
    const { ordered } = await confirmed;
    const millis = performance.now() - start;
    if (!ordered) {
      throw new Error("the values arrived in another order");
    }
    return [millis, bytes - before];
  };

  // Sends short texts in one go, and measures the time until the other page reports that it has received all.
  bench.texts = (count, size) =>
    series(count, (link) => {
      for (let number = 0; number < count; number += 1) {
        link.send(text(number, size));
      }
    });

  // Sends large blocks, each after the one before was accepted.
  bench.blocks = (count, size) =>
    series(count, async (link) => {
      for (let number = 0; number < count; number += 1) {
        await link.send(block(number, size));
      }
    });

  const trips = async (link, count) => {
    const millis = [];
    for (let number = 0; number < count; number += 1) {
      const start = performance.now();
      await link.ask(number);
      millis.push(performance.now() - start);
    }
    return millis.sort((a, b) => a - b);
  };

  // Measures how long questions take, one after the other.
  bench.trips = async (count) => trips(await bench.link, count);

  // Measures the same while blocks are sent.
  bench.loadedTrips = async (count, size) => {
    const link = await bench.link;
    let over = false;
    const load = (async () => {
      for (let number = 0; !over; number += 1) {
        await link.send(block(number, size));
      }
    })();
    const millis = await trips(link, count);
    over = true;
    await load;
    return millis;
  };
}
