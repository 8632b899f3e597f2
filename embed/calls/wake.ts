// Keeps the screen on during a call.

export class Wake {
  #lock: WakeLockSentinel | undefined;
  #isWanted = false;
  #isAsking = false;

  /** Browsers end the lock of a page that is hidden; so this is called again when it is seen. */
  async keep(on: boolean): Promise<void> {
    this.#isWanted = on && !document.hidden;
    if (!this.#isWanted) return this.#end();
    if (this.#isAsking || (this.#lock && !this.#lock.released)) return;
    this.#isAsking = true;
    try {
      this.#lock = await navigator.wakeLock?.request("screen");
    } catch {
      // The battery is low, or the page is hidden.
    }
    this.#isAsking = false;
    if (!this.#isWanted) this.#end();
  }

  #end(): void {
    void this.#lock?.release().catch(() => undefined);
    this.#lock = undefined;
  }
}
