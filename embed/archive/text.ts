// A room as plain text.

import { IMPORTED, NOT_HERE, type Room, type Said, TAKEN_BACK, type Talk, day, dayOf, excerpt, moment, size, time } from "./model.ts";

/** Later lines of a message stand below its first one. */
const below = (text: string): string => text.replace(/\r\n?|\n/g, "\n    ");

function lines(said: Said, talk: Map<string, Said>): string[] {
  const about: string[] = [];
  if (said.answers !== undefined) {
    const quoted = talk.get(said.answers);
    about.push(quoted ? `answers ${quoted.sender}: ${quoted.retracted ? TAKEN_BACK : excerpt(quoted.text)}` : `answers: ${NOT_HERE}`);
  }
  if (said.file) about.push(`file: ${said.file.name}, ${size(said.file.size)}`);
  if (said.earlier.length > 0) about.push(`edited; before: ${said.earlier.map(excerpt).join(" | ")}`);
  for (const { emoji, names } of said.reactions) about.push(`${emoji} ${names.join(", ")}`);
  if (said.imported) about.push(IMPORTED);
  const text = said.retracted ? `(${TAKEN_BACK})` : below(said.text);
  return [`[${time.format(said.at)}] ${said.sender}: ${text}`.trimEnd(), ...about.map((it) => `    (${it})`)];
}

function part({ title, messages }: Talk, titled: boolean): string[] {
  const byId = new Map(messages.map((said) => [said.id, said]));
  const all = titled ? ["", "", title, "=".repeat([...title].length)] : [];
  let before = "";
  for (const said of messages) {
    const now = dayOf(said.at);
    if (now !== before) all.push("", day.format(said.at), "");
    before = now;
    all.push(...lines(said, byId));
  }
  return all;
}

export function text({ room, by, talks }: Room, at: number): string {
  const head = [room, `Exported by ${by}, ${moment.format(at)}`];
  if (talks.length === 0) head.push("", "Nothing was said.");
  const titled = talks.length > 1 || talks.some((talk) => talk.direct);
  return [...head, ...talks.flatMap((talk) => part(talk, titled))].join("\n") + "\n";
}
