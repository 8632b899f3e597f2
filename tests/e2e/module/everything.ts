// A use of everything that the module exports.
import {
  type AcceptOptions,
  type AskOptions,
  type AskResult,
  type AttachedFile,
  type Broadcast,
  type BroadcastInfo,
  type BroadcastOptions,
  type Broker,
  type Call,
  type CallInfo,
  type CallOptions,
  type CallOutcome,
  type CallParticipant,
  type CallPromises,
  type CallSource,
  type CallStreams,
  type Conversation,
  type DecisionOptions,
  type ErrorCode,
  type Events,
  type FileOptions,
  type FileProgress,
  type GoneReason,
  type IceServer,
  type IncomingFile,
  type Json,
  MQTTRTCClient,
  type Message,
  type Options,
  type Peer,
  type PeerState,
  type Presence,
  type QuestionHandler,
  type QuestionInfo,
  RTChatError,
  type Received,
  type ReceivedBlob,
  type ReceivedFile,
  type SaidType,
  type SayFileOptions,
  type Sendable,
  type Stats,
  type Status,
  type Trust,
  type TypedArray,
  type UserInfo,
  type Validation,
} from "./mqtt-rtc.js";

const broker: Broker = { url: "wss://mqtt.example.org", username: "chat", password: "public" };
const server: IceServer = { urls: ["turn:turn.example.org"], username: "chat", credential: "public" };
const userInfo: UserInfo = { plays: ["chess"] };
const double: QuestionHandler = (content, sender: string, { topic, peer }: QuestionInfo, same: Peer) =>
  typeof content === "number" ? content * 2 : `${sender} ${topic} ${peer.user} ${same.key}`;
const options: Options = {
  name: "ann",
  userInfo,
  room: "garden",
  page: new URL("https://example.org/blog"),
  secret: "AQAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH9GJTCI",
  password: "open sesame",
  brokers: ["wss://mqtt.example.org", broker],
  iceServers: [server],
  relayOnly: true,
  accept: "known",
  features: ["files", "dm"],
  calls: "audio",
  storage: "memory",
  questionHandlers: { double },
  config: "/settings/rtchat.json",
};
const client: MQTTRTCClient = new MQTTRTCClient(options);

const onstatus = (status: Status): void => console.log(status.state, status.people, status.reconnecting, status.retryAt);
client
  .on("connectionrequest", async (user: string, info: UserInfo, { trust }: Peer) =>
    user !== "eve" && info["plays"] !== "poker" && trust !== "name-on-another-key")
  .on("connectedtopeer", (user: string, info: UserInfo, { key }: Peer) => console.log(user, info, key))
  .on("disconnectedfrompeer", (user: string, reason: GoneReason, { id }: Peer) => console.log(user, reason, id))
  .on("question", double)
  .on("answer", (content: Json, sender: string, { question }, { name }: Peer) =>
    console.log(content, sender, question, name))
  .on("chat", (text: string, sender: string, peer: Peer) => console.log(text, sender, client.safetyNumber(peer)))
  .on("dm", (value: Sendable, sender: string) => console.log(value, sender))
  .on("data", (value: Received) => {
    const blob: ReceivedBlob | undefined = value instanceof Blob ? value : undefined;
    console.log(blob?.size, blob?.saidType);
  })
  .on("file", async (file: IncomingFile, sender: string) => {
    if (file.size > 1e9 || file.type === "") return file.refuse(`too large, ${sender}: ${file.name}`);
    const onprogress = ({ bytes, size }: FileProgress): void => console.log(bytes / size);
    const how: AcceptOptions = { onprogress, signal: AbortSignal.timeout(60_000) };
    const its: ReceivedFile = await file.accept(how);
    const said: SaidType = its;
    console.log(its.name, file.saidType, said.saidType);
  })
  .on("typing", (user: string) => console.log(user))
  .on("presence", (user: string, presence: Presence, peer: Peer) => console.log(user, presence === peer.presence))
  .on("namechange", (before: string, now: string) => console.log(before, now))
  .on("validation", (user: string, { fingerprint, known, verified }: Validation) =>
    console.log(user, fingerprint, known, verified))
  .on("validationfailure", (user: string, reason: string) => console.log(user, reason))
  .on("error", (error: Error) => console.log(error.message))
  .once("status", onstatus)
  .off("status", onstatus)
  .addQuestionHandler("double", double);
const event: keyof Events = "chat";

const peer: Peer | undefined = client.getPeer("ben");
if (peer) {
  const state: PeerState = peer.state;
  const trust: Trust = peer.trust;
  const how: AskOptions = { topic: "double", timeout: 5_000, signal: AbortSignal.timeout(4_000) };
  const answer: number = await peer.ask(21, how);
  const array: TypedArray = new Float32Array([1, 2]);
  await peer.send(array);
  await peer.dm({ to: [peer.id, peer.fingerprint, state, trust, answer, event], info: peer.userInfo });
  const file: FileOptions = { name: "a.txt", onprogress: ({ bytes }) => console.log(bytes), signal: AbortSignal.timeout(9) };
  await peer.sendFile(new Blob(["a"]), file);
  peer.chat("psst");
  const millis: number = await peer.ping();
  console.log(millis, client.safetyNumber(peer)?.length);
  const shown: DecisionOptions = { name: peer.name };
  await peer.acceptKey(shown);
  await peer.markVerified(shown);
  peer.disconnect();
  await peer.block();
}
const results: AskResult[] = [...(await client.ask("ready?")), ...(await client.ask("double", 4, { timeout: 100 }))];
for (const result of results) console.log(result.user, result.peer.id, result.ok ? result.answer : result.error.message);
await client.send(new Blob(["hello"], { type: "text/plain" })).catch((error: unknown) => {
  const code: ErrorCode | undefined = error instanceof RTChatError ? error.code : undefined;
  console.log(code);
});
client.chat("hello");
client.typing();
client.say("hello", { conversation: "#lobby", replyTo: "id" });
const attached: SayFileOptions = { conversation: "#lobby", replyTo: "id", name: "a.txt", text: "Look" };
const sentId: string = await client.sendFile(new Blob(["a"]), attached);
const beside: AttachedFile | undefined = (await client.history()).find(({ id }) => id === sentId)?.file;
if (beside) console.log((await client.fetchFile(beside, { onprogress: ({ bytes }) => console.log(bytes) })).saidType, beside.hash, beside.size);
client.edit("id", "hi");
client.retract("id");
client.react("id", "👍", false);
const conversations: Conversation[] = client.conversations;
const messages: Message[] = await client.history({ conversation: conversations[0]?.id, limit: 5 });
client.on("message", (message, peer) => console.log(message.at.getTime(), message.reactions[0]?.people, peer?.key));
client.on("messagechange", (message) => console.log(message.earlier, message.retracted));
client.on("delivery", (id, { sent, delivered, of, failed }) => {
  console.log(sent, delivered, of);
  if (failed !== undefined) client.retry(id);
});
client.on("unreadable", (user: string, count: number, { muted, listen }: Peer) => console.log(user, count, muted, listen));
console.log(messages.length);
client.changeName("anna");
const stats: Stats | undefined = client.stats();
const peers: Peer[] = client.peers;
const users: string[] = client.users;
console.log(client.name, client.room, stats?.published, stats?.dropped["unreadable"], peers.length, users.length);
await client.connect();
client.disconnect();

// Calls and broadcasts.
const source: CallSource = { audio: true, video: { width: 320 } };
const inChannel: CallOptions = { conversation: "#lobby" };
client.on("call", (user: string, info: CallInfo, { start, end }: CallPromises, peer: Peer) => {
  void start.then(({ localStream, remoteStream }: CallStreams) => [localStream.id, remoteStream.id]);
  void end.then(() => [user, peer.key, info.id, info.conversation, info.audio, info.silent]);
  return info.video && new MediaStream();
});
client.on("callconnected", (user, { remoteStream }, peer) => [user, remoteStream.id, peer.key]);
client.on("callended", (_user, outcome: CallOutcome, _peer) => outcome);
client.on("callchange", (call: Call | undefined) => call?.state);
client.on("stream", (_user, stream, kind: "camera" | "screen", peer) => [stream.id, kind, peer.id]);
client.on("streamended", (_user, stream, _kind, _peer) => stream.id);
client.on("track", (_user, track, stream, _peer) => [track.kind, stream.id]);
client.on("broadcast", (_user, { audio, video, screen, sensitive, asks, inReturn }: BroadcastInfo, _peer) => [audio, video, screen, sensitive, asks, inReturn]);
client.on("broadcastended", (user, peer) => [user, peer.id]);
client.on("watchers", (watchers) => watchers.length);
client.on("watchrequest", (_user, peer) => peer.trust === "verified");
async function talk(peer: Peer): Promise<void> {
  const call: Call = await client.call(source, inChannel);
  const others: readonly CallParticipant[] = call.participants;
  call.enable({ audio: false });
  await call.send();
  await call.shareScreen({ video: true });
  call.raiseHand(true);
  console.log(call.id, call.conversation, call.localStream.id, others.map(({ stream, screenStream, hand }) => [stream.id, screenStream.id, hand]));
  call.end();
  (await peer.call()).end();
  const { start, end }: CallPromises = client.callUser("ben", new MediaStream());
  await start;
  client.endCallWithUser(peer);
  await end;
  const terms: BroadcastOptions = { sensitive: true, ask: true, inReturn: false };
  const broadcast: Broadcast = await client.broadcast(source, terms);
  for (const watcher of broadcast.watchers) broadcast.remove(watcher);
  console.log(broadcast.stream.id, (await client.watch(peer)).id);
  client.showAt(peer, { camera: 180 });
  client.unwatch(peer);
  broadcast.end();
}
