// The browser alone: a mesh of connections that find each other through a BroadcastChannel, and pictures that are sent over them.
const query = new URLSearchParams(location.search);
const room = new BroadcastChannel(query.get("room"));
const own = crypto.randomUUID();
const links = new Map();
let stream;

const show = (media) => {
  const video = Object.assign(document.createElement("video"), { autoplay: true, muted: media === stream, srcObject: media });
  document.body.append(video);
};

const answered = async (peer, description) => {
  await peer.setRemoteDescription(description);
  if (description.type === "offer") {
    await peer.setLocalDescription();
  }
  return description.type === "offer";
};

const link = (id) => {
  const peer = new RTCPeerConnection();
  const channel = peer.createDataChannel("text", { negotiated: true, id: 0 });
  const say = (message) => channel.send(JSON.stringify(message));
  const describe = () => say({ description: peer.localDescription });
  channel.addEventListener("open", () => bench.arrived(links.size));
  channel.addEventListener("message", async ({ data }) => {
    const { description } = JSON.parse(data);
    if (description) {
      if (await answered(peer, description)) {
        describe();
      }
      return;
    }
    for (const track of stream.getTracks()) {
      peer.addTransceiver(track, { direction: "sendonly", streams: [stream] });
    }
    await peer.setLocalDescription();
    describe();
  });
  const shown = new Set();
  peer.addEventListener("track", ({ streams: [media] }) => {
    if (!shown.has(media)) {
      shown.add(media);
      show(media);
    }
  });
  // In a call, both send from the beginning.
  if (query.has("call")) {
    stream.getTracks().forEach((track) => peer.addTrack(track, stream));
  }
  links.set(id, { peer, say });
  return peer;
};

const tell = async (to, peer) => {
  while (peer.iceGatheringState !== "complete") {
    await new Promise((resolve) => peer.addEventListener("icegatheringstatechange", resolve, { once: true }));
  }
  room.postMessage({ from: own, to, description: peer.localDescription.toJSON() });
};

bench.open = async () => {
  stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: { ideal: 1280 }, height: { ideal: 720 } } });
  if (query.has("call")) {
    show(stream);
  }
};
bench.enter = () => {
  room.addEventListener("message", async ({ data: { from, to, description } }) => {
    if (!to) {
      const peer = link(from);
      await peer.setLocalDescription();
      await tell(from, peer);
    } else if (to === own) {
      const peer = links.get(from)?.peer ?? link(from);
      if (await answered(peer, description)) {
        await tell(from, peer);
      }
    }
  });
  room.postMessage({ from: own });
};
// Asks the other side for its picture and its sound.
bench.watch = () => {
  const [{ say }] = links.values();
  return bench.seen(() => document.querySelector("video"), () => say({ watch: true }));
};
// Sends pictures with these parameters, and shows those of all with these sizes.
bench.limit = async ({ encoding, sizes }) => {
  for (const { peer } of links.values()) {
    const sender = peer.getSenders().find(({ track }) => track.kind === "video");
    const parameters = sender.getParameters();
    Object.assign(parameters.encodings[0], encoding);
    await sender.setParameters(parameters);
  }
  for (const [at, video] of [...document.querySelectorAll("video")].entries()) {
    const [width, height] = sizes[at];
    Object.assign(video.style, { width: `${width}px`, height: `${height}px`, objectFit: "cover" });
  }
};
