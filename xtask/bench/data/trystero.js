// Trystero as its README shows it.
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
room.onPeerJoin = (target) => {
  const link = {
    send: (value) => data.send(value, { target }),
    ask: (value) => questions.request(value, { target }),
  };
  data.onMessage = (value) => link.onvalue?.(value);
  bench.links(link);
};
