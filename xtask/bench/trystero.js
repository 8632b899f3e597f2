// Trystero as in its README, but with our broker and without STUN.
import { getRelaySockets, joinRoom } from "@trystero-p2p/mqtt";

const query = new URLSearchParams(location.search);

const join = () => {
  const configuration = {
    appId: "rtchat-bench",
    relayConfig: { urls: [query.get("relay")] },
    rtcConfig: { iceServers: [] },
  };
  const room = joinRoom(configuration, query.get("room"));
  let peers = 0;
  room.onPeerJoin = () => bench.arrived(++peers);
};

bench.joinable = async () => {};
bench.join = async (name) => {
  await bench.typing(name, () => {});
  bench.started();
  join();
};
bench.ready = async () => {
  const isOpen = (socket) => socket.readyState === WebSocket.OPEN;
  while (!Object.values(getRelaySockets()).some(isOpen)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

if (query.has("join")) {
  join();
}
