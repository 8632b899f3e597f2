// Limits of the unanswered questions of one peer. Without them, a peer could ask without end, and each question
// occupies a handler and the memory for its content.

const MAX_OPEN = 256;
const MAX_OPEN_LENGTH = 8 * 1024 * 1024;

/** The questions of one peer that the program has not answered yet. */
export class OpenQuestions {
  #count = 0;
  #length = 0;

  /** Takes a question with JSON of this length, or returns false if there are too many. */
  add(length: number): boolean {
    if (this.#count >= MAX_OPEN || this.#length + length > MAX_OPEN_LENGTH) return false;
    this.#count += 1;
    this.#length += length;
    return true;
  }

  remove(length: number): void {
    this.#count -= 1;
    this.#length -= length;
  }
}
