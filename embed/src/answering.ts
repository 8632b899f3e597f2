// Lets the program answer the questions of peers.
import type * as api from "../mqtt-rtc.js";
import type { Json, QuestionHandler } from "../mqtt-rtc.js";
import type { Engine } from "./engine.js";
import { asError } from "./errors.js";
import type { Handlers } from "./events.js";
import type { Member } from "./peer.js";
import { toJson } from "./values.js";

export class Answering {
  readonly #client: api.MQTTRTCClient;
  readonly #handlers: Handlers;
  readonly #topics: Map<string, QuestionHandler>;

  constructor(client: api.MQTTRTCClient, handlers: Handlers, topics: Iterable<[string, QuestionHandler]>) {
    this.#client = client;
    this.#handlers = handlers;
    this.#topics = new Map(topics);
  }

  add(topic: string, handler: QuestionHandler): void {
    if (typeof topic !== "string") throw new TypeError("The topic should be a text.");
    if (typeof handler !== "function") throw new TypeError(`The handler for "${topic}" should be a function.`);
    this.#topics.set(topic, handler);
  }

  /** Sends the asker the program's answer, or the reason why there is none. */
  async answer(engine: () => Engine | undefined, member: Member, question: string, topic: string | undefined, content: string): Promise<void> {
    if (!member.questions.add(content.length)) {
      engine()?.answer(member.id, question, undefined, "Too many questions are unanswered.");
      return;
    }
    try {
      const json = toJson((await this.#answerOf(member, topic, JSON.parse(content) as Json)) ?? null);
      engine()?.answer(member.id, question, json, "");
    } catch (thrown) {
      const error = asError(thrown);
      engine()?.answer(member.id, question, undefined, error.message || error.name);
      if (!(error instanceof Unanswered)) this.#handlers.report(error);
    } finally {
      member.questions.remove(content.length);
    }
  }

  async #answerOf(member: Member, topic: string | undefined, content: Json): Promise<unknown> {
    const { user, peer } = member;
    const handler = topic === undefined ? undefined : this.#topics.get(topic);
    if (handler) return await handler.call(this.#client, content, user, { topic, peer }, peer);
    const results = this.#handlers.results("question", content, user, { topic, peer }, peer);
    if (results.length === 0) throw new Unanswered("Nobody answers such questions here.");
    const answers = await Promise.all(results);
    return answers.find((answer) => answer !== undefined);
  }
}

/** The error if the program has no handler for a question. It is not reported as an error of the program. */
class Unanswered extends Error {}
