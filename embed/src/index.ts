// The exports of mqtt-rtc.js. mqtt-rtc.d.ts has their types.
export { MQTTRTCClient } from "./client.js";
export { RTChatError } from "./errors.js";
