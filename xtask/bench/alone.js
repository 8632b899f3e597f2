// The browser alone: the same mesh of connections, one data channel each, without a library and without a proof. All
// pages of a room subscribe to one topic of the broker and say hello there. The broker puts the hellos into an order:
// whoever hears another one's hello after its own was there first, and makes an offer.
const query = new URLSearchParams(location.search);
const topic = query.get("room");
const own = crypto.randomUUID();
const connections = new Map();
const [CONNECT, PUBLISH, SUBSCRIBE] = [0x10, 0x30, 0x82];
let greeted = false;
let opened = 0;

const text = (value) => {
  const bytes = new TextEncoder().encode(value);
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes];
};

// The bytes of an MQTT packet.
const packet = (kind, body) => {
  const length = [];
  for (let rest = body.length; rest > 0 || length.length === 0; rest >>= 7) {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  }
  return [kind, ...length, ...body];
};

// Calls `heard` with the payload of every PUBLISH in a message of the broker, which consists of whole packets or parts.
const reader = (heard) => {
  let bytes = new Uint8Array();
  return (message) => {
    const joined = new Uint8Array(bytes.length + message.byteLength);
    joined.set(bytes);
    joined.set(new Uint8Array(message), bytes.length);
    bytes = joined;
    for (;;) {
      let [at, length, shift] = [1, 0, 0];
      while (bytes[at] & 0x80) {
        length |= (bytes[at++] & 0x7f) << shift;
        shift += 7;
      }
      length |= bytes[at++] << shift;
      if (!(bytes.length >= at + length)) {
        return;
      }
      if (bytes[0] === PUBLISH) {
        const payload = at + 2 + (bytes[at] << 8) + bytes[at + 1];
        heard(JSON.parse(new TextDecoder().decode(bytes.subarray(payload, at + length))));
      }
      bytes = bytes.slice(at + length);
    }
  };
};

const join = () => {
  const socket = new WebSocket(query.get("relay"), "mqtt");
  socket.binaryType = "arraybuffer";
  const say = (message) => packet(PUBLISH, [...text(topic), ...new TextEncoder().encode(JSON.stringify(message))]);
  const send = (...packets) => socket.send(Uint8Array.from(packets.flat()));

  const connect = (id) => {
    const connection = new RTCPeerConnection();
    const channel = connection.createDataChannel("text", { negotiated: true, id: 0 });
    channel.addEventListener("open", () => bench.arrived(++opened));
    connections.set(id, connection);
    return connection;
  };
  // Sends the local description with the first candidate, which is enough on one machine.
  const describe = async (to, connection) => {
    const found = new Promise((resolve) => connection.addEventListener("icecandidate", resolve, { once: true }));
    await connection.setLocalDescription();
    await found;
    send(say({ from: own, to, description: connection.localDescription }));
  };
  const heard = async ({ from, to, description }) => {
    if (!to && from === own) {
      greeted = true;
    } else if (!to && greeted) {
      await describe(from, connect(from));
    } else if (to === own && description.type === "offer") {
      const connection = connect(from);
      await connection.setRemoteDescription(description);
      await describe(from, connection);
    } else if (to === own) {
      await connections.get(from).setRemoteDescription(description);
    }
  };
  const read = reader(heard);
  socket.addEventListener("message", ({ data }) => read(data));
  socket.addEventListener("open", () => {
    const clean = 2;
    const keepAlive = [0, 60];
    send(
      packet(CONNECT, [...text("MQTT"), 4, clean, ...keepAlive, ...text(own)]),
      packet(SUBSCRIBE, [0, 1, ...text(topic), 0]),
      say({ from: own }),
    );
  });
};

bench.joinable = async () => {};
bench.join = async (name) => {
  await bench.typing(name, () => {});
  bench.started();
  join();
};
bench.ready = async () => {
  while (!greeted) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

if (query.has("join")) {
  join();
}
