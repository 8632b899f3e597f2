// The interface between the program and the script for calls: what the program decides, and what the script does and shows.
// The program is src/room/calls/, with src/driver/calls.rs and src/ui/calls.rs around it.

/** Somebody's tracks, by what they show. The sound of a shared screen belongs to the screen. */
export interface Tracks {
  microphone: boolean;
  camera: boolean;
  screen: boolean;
}

/** What somebody sends. */
export interface Sent extends Tracks {
  /** Whether their hand is raised. */
  hand: boolean;
  /** The ids of their two streams (RFC 8830): that of microphone and camera, and that of the screen. */
  streams: { camera: string; screen: string };
}

/** The most that is sent of a picture. With a height of 0, nothing is. */
export interface Limit {
  /** In pixels. */
  height: number;
  /** In pictures a second. */
  frameRate: number;
  /** In bits a second. */
  bitrate: number;
}

/** What is to run on a connection. */
export interface Wish {
  send: Tracks;
  receive: boolean;
  /** Whether pictures are received, too. */
  pictures: boolean;
  camera: Limit;
  screen: Limit;
}

/** Where a person's call goes to. */
export interface Person {
  /** The name that is shown. */
  user: string;
  /** The colour of their avatar, in degrees, and its letter. */
  hue: number;
  letter: string;
  trust: "own" | "new" | "known" | "verified" | "warning";
  /** The number that both see and can compare, in groups of digits. */
  safety: string;
}

/** A call that this tab is in. */
export interface OwnCall {
  id: string;
  conversation: string;
  title: string;
  /** Whether it is a call with one person. */
  direct: boolean;
  state: "ringing" | "connecting" | "connected" | "reconnecting";
  /** When somebody was first connected, in milliseconds since 1970. */
  since: number | undefined;
  peers: { peer: string; state: "connecting" | "connected" | "reconnecting"; sends: Sent }[];
  /** Whether more people have a camera than calls are made for. */
  crowded: boolean;
}

/** Everything about calls that there is to see. */
export interface View {
  /** This tab. */
  own: string;
  /** Everybody who is named below, by peer id. */
  people: Record<string, Person>;
  /** What the site allows. */
  allowed: "audio" | "video";
  call: OwnCall | undefined;
  /** Calls that ring here. A silent one makes no sound. */
  rings: { call: string; conversation: string; title: string; from: string; video: boolean; silent: boolean }[];
  /** Calls in conversations of this room that this tab is not in, and that do not ring. */
  running: { call: string; conversation: string; title: string; peers: string[] }[];
  /** What others show to whoever opens it. */
  shares: {
    peer: string;
    sends: Sent;
    /** Blurred until the viewer agrees. */
    sensitive: boolean;
    /** Whether they are asked first, and whether they want to see the viewer's camera in return. */
    asks: boolean;
    inReturn: boolean;
    state: "offered" | "asking" | "watching" | "refused" | "ended";
  }[];
  /** What we show, and to whom. */
  share: { sends: Sent; sensitive: boolean; asks: boolean; inReturn: boolean; watchers: string[]; asking: string[] } | undefined;
}

/** What people do, for the program to decide about. */
export type Command =
  | { do: "start"; conversation: string; sends: Sent }
  /** Answers a call that rings, or joins one that runs. */
  | { do: "answer"; call: string; sends: Sent }
  | { do: "decline"; call: string }
  | { do: "hang-up" }
  /** What we send in the call has changed. */
  | { do: "send"; sends: Sent }
  | { do: "share"; sends: Sent; sensitive: boolean; asks: boolean; inReturn: boolean }
  | { do: "unshare" }
  | { do: "watch"; peer: string; on: boolean }
  /** The answer to somebody who asks to watch, or the end of watching. */
  | { do: "admit"; peer: string; on: boolean }
  /** The height at which we look at somebody's pictures: 0 while they are hidden. */
  | { do: "want"; peer: string; camera: number; screen: number };

/** The program, as the script sees it. */
export interface Host {
  command(command: Command): void;
  /** Says a sentence to the person. */
  notice(sentence: string): void;
}

/** What a program's tracks are told of. The page has no use for it. */
export interface Observer {
  /** Somebody's stream has begun, has other tracks, or has ended: then it is one without tracks. */
  stream?(peer: string, kind: "camera" | "screen", stream: MediaStream): void;
}

/** The script's part of one chat that moves media: `adapter.ts`, which has no views. */
export interface Adapter {
  /** What somebody says that they send: by it, their streams are told apart. It may come before the streams or after them. */
  sends(peer: string, sent: Sent | undefined): void;
  /** Carries out what is to run on the connection to a peer. Later wishes replace earlier ones. */
  link(connection: number, peer: string, pc: RTCPeerConnection, wish: Wish): void;
  /** The connection is closed. */
  unlink(connection: number): void;
  /** Called between an offer of the other side and our answer: closes every direction that nobody wishes. */
  settle(pc: RTCPeerConnection): void;
}

/** The adapter with its views: what the page holds. */
export interface Calls extends Adapter {
  /** Draws into this element, below the bar of the conversation. A second call moves everything there. */
  mount(root: HTMLElement): void;
  /** Shows this, and nothing of what was shown before. */
  show(view: View): void;
  /** Somebody calls: shows what others will see, and then gives the command. */
  begin(call: { conversation: string; title: string; video: boolean }): void;
  /** Answers a call that rings, or joins one that runs. With video, it shows first what others will see. */
  answer(call: string, video: boolean): void;
  /** Somebody shows their camera to whoever opens it. */
  share(): void;
  /** The chat ends: stops every device, and removes what was drawn. */
  close(): void;
}
