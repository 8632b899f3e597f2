// Records the requests of a page to the network, and their times. Runs after watch.js and before the page's own scripts.
{
  const events = [];
  const note = (what) => events.push([bench.now(), what]);
  bench.trace = async () => events.concat([[performance.timeOrigin, "navigation begins"], [bench.start, "joins"]]);
  const { arrived } = bench;
  let shown = 0;
  bench.arrived = (count) => {
    arrived(count);
    if (count > shown) {
      shown = count;
      note("shown as verified");
    }
  };
  addEventListener("DOMContentLoaded", () => note("document parsed"));

  // The types of the MQTT packets in a frame.
  const KINDS = { 1: "CONNECT", 2: "CONNACK", 3: "PUBLISH", 8: "SUBSCRIBE", 9: "SUBACK", 12: "PINGREQ", 14: "DISCONNECT" };
  const packets = (data) => {
    const bytes = new Uint8Array(data.buffer ?? data, data.byteOffset ?? 0, data.byteLength);
    const found = [];
    for (let at = 0; at < bytes.length; ) {
      found.push(KINDS[bytes[at] >> 4] ?? "packet");
      let length = 0;
      let shift = 0;
      do {
        length |= (bytes[++at] & 0x7f) << shift;
        shift += 7;
      } while (bytes[at] & 0x80);
      at += 1 + length;
    }
    return found.join(" + ");
  };
  const NativeSocket = WebSocket;
  globalThis.WebSocket = class extends NativeSocket {
    constructor(...parameters) {
      super(...parameters);
      note("WebSocket: opening");
      this.addEventListener("open", () => note("WebSocket: open"));
      this.addEventListener("message", ({ data }) => note(`MQTT ← ${packets(data)}`));
    }
    send(data) {
      note(`MQTT → ${packets(data)}`);
      super.send(data);
    }
  };

  const watched = (channel) => {
    const send = channel.send;
    channel.send = (data) => {
      note("channel →");
      return send.call(channel, data);
    };
    channel.addEventListener("open", () => note("channel: open"));
    channel.addEventListener("message", () => note("channel ←"));
    return channel;
  };
  const NativePeer = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends NativePeer {
    constructor(...parameters) {
      note("connection: making");
      super(...parameters);
      note("connection: made");
      const candidate = (candidate) => (candidate ? (candidate.protocol ?? "udp") : "end");
      this.addEventListener("icecandidate", (event) => note(`candidate found (${candidate(event.candidate)})`));
      this.addEventListener("iceconnectionstatechange", () => note(`ICE: ${this.iceConnectionState}`));
      this.addEventListener("connectionstatechange", () => note(`connection: ${this.connectionState}`));
      this.addEventListener("datachannel", ({ channel }) => watched(channel));
    }
    createDataChannel(...parameters) {
      return watched(super.createDataChannel(...parameters));
    }
  };
  for (const method of ["createOffer", "createAnswer", "setLocalDescription", "setRemoteDescription", "addIceCandidate"]) {
    const native = NativePeer.prototype[method];
    RTCPeerConnection.prototype[method] = function (...parameters) {
      note(`${method} …`);
      const promise = native.apply(this, parameters);
      promise.then(() => note(`… ${method}`), () => note(`… ${method} failed`));
      return promise;
    };
  }
  const instantiate = WebAssembly.instantiateStreaming;
  WebAssembly.instantiateStreaming = async (...parameters) => {
    note("WebAssembly: compiling");
    const result = await instantiate.apply(WebAssembly, parameters);
    note("WebAssembly: compiled");
    return result;
  };
}
