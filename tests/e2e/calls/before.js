// Runs before the page's own scripts. It keeps the page's connections, so that tests can read what they count, and opens small
// pictures, of which several can be sent on a machine with two processor cores.
window.connections = [];
/** What was opened, in its order; and what the browser says instead, if that is the name of an error. */
window.opened = [];
window.refusal = "";
{
  const Native = RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...parameters) {
      super(...parameters);
      connections.push(this);
    }
  };
  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (wished) => {
    if (refusal) throw new DOMException("", refusal);
    const small = { width: 320, height: 180, frameRate: 10 };
    const stream = await open(wished.video ? { ...wished, video: { ...wished.video, ...small } } : wished);
    opened.push(...stream.getTracks());
    return stream;
  };
}
/** What each connection counts of what comes (`inbound-rtp`) or leaves (`outbound-rtp`). */
window.counted = (type) =>
  Promise.all(
    connections.map(async (connection) => {
      const sums = { audio: 0, video: 0, packets: 0, frames: 0, height: 0 };
      if (connection.connectionState === "closed") return sums;
      for (const stats of (await connection.getStats()).values()) {
        if (stats.type !== type) continue;
        sums[stats.kind] += stats.bytesReceived ?? stats.bytesSent ?? 0;
        if (stats.kind === "audio") sums.packets += stats.packetsReceived ?? stats.packetsSent ?? 0;
        sums.frames += stats.framesDecoded ?? stats.framesEncoded ?? 0;
        sums.height = Math.max(sums.height, stats.frameHeight ?? 0);
      }
      return sums;
    }),
  );
/** The sum of one of these counts. */
window.summed = async (type, what) => (await counted(type)).reduce((sum, its) => sum + its[what], 0);
