// Data channels between two pages, with only a queue in front of them. The pages find each other through a
// BroadcastChannel.
const HIGH = 1 << 20;
// The bytes of a file in one message, and the bytes that are read at once.
const CHUNK = 1 << 16;
const SLICE = 1 << 19;

const peer = new RTCPeerConnection();
const channel = peer.createDataChannel("data", { negotiated: true, id: 0 });
const files = peer.createDataChannel("files", { negotiated: true, id: 1 });
for (const each of [channel, files]) {
  each.binaryType = "arraybuffer";
  each.bufferedAmountLowThreshold = HIGH / 4;
}

const queue = [];
const pump = () => {
  while (queue.length > 0 && channel.bufferedAmount < HIGH) {
    const { data, taken } = queue.shift();
    channel.send(data);
    taken();
  }
};
channel.addEventListener("bufferedamountlow", pump);
const push = (data) =>
  new Promise((taken) => {
    queue.push({ data, taken });
    pump();
  });

const questions = [];
const link = {
  send: (value) => push(value instanceof ArrayBuffer ? value : JSON.stringify({ value })),
  ask: (question) =>
    new Promise((resolve) => {
      questions.push(resolve);
      push(JSON.stringify({ question }));
    }),
  sendFile: async (blob, onprogress) => {
    files.send(JSON.stringify({ size: blob.size }));
    for (let from = 0; from < blob.size; from += SLICE) {
      const slice = await blob.slice(from, from + SLICE).arrayBuffer();
      for (let at = 0; at < slice.byteLength; at += CHUNK) {
        if (files.bufferedAmount > HIGH - CHUNK) {
          await new Promise((resolve) => files.addEventListener("bufferedamountlow", resolve, { once: true }));
        }
        files.send(new Uint8Array(slice, at, Math.min(CHUNK, slice.byteLength - at)));
        onprogress();
      }
    }
    await new Promise((resolve) => files.addEventListener("message", resolve, { once: true }));
  },
};
let coming;
files.addEventListener("message", ({ data }) => {
  if (data instanceof ArrayBuffer) {
    coming.parts.push(data);
    coming.missing -= data.byteLength;
    if (coming.missing === 0) {
      files.send("done");
      link.onfile(new Blob(coming.parts));
    }
  } else if (data !== "done") {
    coming = { parts: [], missing: JSON.parse(data).size };
  }
});
channel.addEventListener("message", ({ data }) => {
  if (data instanceof ArrayBuffer) {
    link.onvalue?.(data);
    return;
  }
  const said = JSON.parse(data);
  if ("question" in said) {
    push(JSON.stringify({ answer: said.question }));
  } else if ("answer" in said) {
    questions.shift()(said.answer);
  } else {
    link.onvalue?.(said.value);
  }
});
channel.addEventListener("open", () => bench.links(link));

const room = new BroadcastChannel(new URLSearchParams(location.search).get("room"));
const tell = async () => {
  await peer.setLocalDescription();
  while (peer.iceGatheringState !== "complete") {
    await new Promise((resolve) => peer.addEventListener("icegatheringstatechange", resolve, { once: true }));
  }
  room.postMessage(peer.localDescription.toJSON());
};
room.addEventListener("message", async ({ data }) => {
  if (data === "here") {
    await tell();
    return;
  }
  await peer.setRemoteDescription(data);
  if (data.type === "offer") {
    await tell();
  }
});
room.postMessage("here");
