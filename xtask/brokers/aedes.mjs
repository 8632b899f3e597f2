// The broker of the benchmarks: aedes answers within milliseconds. Usage: node aedes.mjs TCP_PORT WEBSOCKET_PORT
import { createServer as createHttpServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { Aedes } from "aedes";
import { WebSocketServer, createWebSocketStream } from "ws";

const [tcpPort, webSocketPort] = process.argv.slice(2).map(Number);
const broker = await Aedes.createBroker();

createTcpServer({ noDelay: true }, broker.handle).listen(tcpPort, "127.0.0.1");

const http = createHttpServer();
http.on("connection", (socket) => socket.setNoDelay(true));
new WebSocketServer({ server: http, handleProtocols: (offered) => offered.has("mqtt") && "mqtt" }).on(
  "connection",
  (socket, request) => {
    const stream = createWebSocketStream(socket);
    stream.on("error", () => stream.destroy());
    broker.handle(stream, request);
  },
);
http.listen(webSocketPort, "127.0.0.1");
