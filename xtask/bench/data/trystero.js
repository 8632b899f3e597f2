// Trystero as in its README.
import { joinRoom } from "@trystero-p2p/mqtt";

const query = new URLSearchParams(location.search);
const configuration = {
  appId: "rtchat-bench",
  relayConfig: { urls: [query.get("relay")] },
  rtcConfig: { iceServers: [] },
};
const room = joinRoom(configuration, query.get("room"));
const data = room.makeAction("data");
const questions = room.makeAction("question", { kind: "request", onRequest: (question) => question });
// It has no files of its own: a Blob is split and joined in memory like any other value, and arrives as bytes without a
// hash.
const files = room.makeAction("file");
room.onPeerJoin = (target) => {
  const link = {
    send: (value) => data.send(value, { target }),
    ask: (value) => questions.request(value, { target }),
    sendFile: (blob, onProgress) => files.send(blob, { target, onProgress }),
  };
  files.onMessage = (bytes) => link.onfile(new Blob([bytes]));
  data.onMessage = (value) => link.onvalue?.(value);
  bench.links(link);
};
