// The script for calls, with people who are made up: `?demo=call` and its like (src/ui/demo/calls.rs). It takes the place of
// calls.ts where the demonstration is built, and shows the same views without a device and without a connection.

import { open as openCalls } from "../calls/calls.ts";
import type { Calls, Host, Sent, View, Wish } from "../calls/contract.ts";
import { Connection } from "./connection.ts";
import { lendDevices } from "./devices.ts";

/** The calls of the demonstration. */
interface Played extends Calls {
  /** Joins this call with video, or shows a camera, as the person would. */
  play(call: string | undefined): void;
}

const NOTHING = { height: 0, frameRate: 0, bitrate: 0 };
/** Nothing is sent to people who are made up. */
const WISH: Wish = { send: { microphone: false, camera: false, screen: false }, receive: true, pictures: true, camera: NOTHING, screen: NOTHING };

/** How often it is looked whether something can be pressed, in milliseconds. */
const LOOK = 20;

export function open(host: Host): Played {
  lendDevices();
  const calls = openCalls(host);
  const connections = new Map<string, Connection>();
  let shown: View | undefined;

  /** The streams of what somebody says that they send. */
  function streams(peer: string, sent: Sent, isLoud: boolean): Sent["streams"] {
    let connection = connections.get(peer);
    if (!connection) {
      connections.set(peer, (connection = new Connection(connections.size)));
      calls.link(connections.size, peer, connection as unknown as RTCPeerConnection, WISH);
    }
    return connection.stream(sent, isLoud);
  }

  const show = calls.show.bind(calls);
  return Object.assign(calls, {
    show(view: View): void {
      const speaker = view.call?.peers.find(({ sends }) => sends.microphone);
      for (const one of [...(view.call?.peers ?? []), ...view.shares]) one.sends.streams = streams(one.peer, one.sends, one === speaker);
      shown = view;
      show(view);
    },
    play(call: string | undefined): void {
      void until(() => shown).then(() => {
        if (call === undefined) calls.share();
        else calls.answer(call, true);
        return until(() => document.querySelector<HTMLButtonElement>('[data-testid="media-go"]:enabled'));
      }).then((go) => go.click());
    },
  });
}

/** Waits until something is there. */
async function until<Thing>(find: () => Thing | null | undefined): Promise<Thing> {
  for (;;) {
    const found = find();
    if (found) return found;
    await new Promise((done) => setTimeout(done, LOOK));
  }
}
