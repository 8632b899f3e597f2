// Counts what the connections of a page send, and finds out when a picture is first seen. Runs before the page's own scripts.
{
  const connections = [];
  const Native = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Native {
    constructor(...parameters) {
      super(...parameters);
      connections.push(this);
    }
  };
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

  // What a function returns, once it returns something.
  bench.until = async (look) => {
    for (;;) {
      const found = await look();
      if (found) {
        return found;
      }
      await frame();
    }
  };
  // Does something, and returns the milliseconds until the first picture of the element that `find` finds then.
  bench.seen = async (find, act) => {
    const first = new Promise((resolve) => {
      const observer = new MutationObserver(() => {
        const video = find();
        if (video) {
          observer.disconnect();
          video.requestVideoFrameCallback(() => resolve(performance.now()));
        }
      });
      observer.observe(document, { subtree: true, childList: true, attributes: true });
    });
    const start = performance.now();
    act();
    return (await first) - start;
  };
  // The time, and the sums of all connections: the bytes that were sent, with what protects them, and the pictures that were
  // decoded.
  bench.sums = async () => {
    const sums = [performance.now(), 0, 0];
    for (const connection of connections) {
      if (connection.connectionState === "closed") {
        continue;
      }
      for (const stats of (await connection.getStats()).values()) {
        if (stats.type === "transport") {
          sums[1] += stats.bytesSent;
        } else if (stats.type === "inbound-rtp") {
          sums[2] += stats.framesDecoded ?? 0;
        }
      }
    }
    return sums;
  };
  // How the pictures of this page are sent, as soon as this many are, and the sizes of the elements that show pictures.
  bench.terms = (count) =>
    bench.until(() => {
      const open = connections.filter(({ connectionState }) => connectionState === "connected");
      const senders = open.flatMap((connection) => connection.getSenders()).filter(({ track }) => track?.kind === "video");
      if (senders.length !== count) {
        return undefined;
      }
      const { maxBitrate, maxFramerate, scaleResolutionDownBy } = senders[0].getParameters().encodings[0];
      const videos = [...document.querySelectorAll("video")].filter(({ videoWidth }) => videoWidth > 0);
      const sizes = videos.map(({ clientWidth, clientHeight }) => [clientWidth, clientHeight]);
      return sizes.length === count + 1 && { encoding: { maxBitrate, maxFramerate, scaleResolutionDownBy }, sizes };
    });
}
