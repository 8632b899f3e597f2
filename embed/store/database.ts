// A database that the browser may close or delete at any time.

import { type Connection, open, remove } from "./connection.ts";
import { problem, StoreError } from "./errors.ts";

export class Database {
  private connection: Connection | undefined;
  private isClosed = false;

  constructor(private readonly name: string) {}

  /** Does something with the connection, and once more if it turns out to be closed. */
  async with<Result>(job: (connection: Connection) => Promise<Result>): Promise<Result> {
    for (let mayBeClosed = true; ; mayBeClosed = false) {
      try {
        const connection = await this.connect();
        try {
          return await job(connection);
        } catch (thrown) {
          const error = problem(thrown);
          if (error.reason !== "closed" || !mayBeClosed) throw error;
          connection.close();
        }
      } catch (thrown) {
        throw problem(thrown);
      }
    }
  }

  /** Ends the connection, for ever. Transactions that have begun are completed. */
  close(): void {
    this.isClosed = true;
    this.connection?.close();
  }

  /** The connection, which is opened again if it was closed. */
  async connect(): Promise<Connection> {
    const usable = this.usable();
    if (usable) return usable;
    const opened = await open(this.name);
    try {
      // Another call may have been faster.
      const faster = this.usable();
      if (!faster) return (this.connection = opened);
      opened.close();
      return faster;
    } catch (error) {
      opened.close();
      throw error;
    }
  }

  /** Deletes the database, even if it cannot be read any more. The next call makes a new one. */
  async delete(): Promise<void> {
    this.connection?.close();
    try {
      await remove(this.name);
    } catch (thrown) {
      throw problem(thrown);
    }
  }

  private usable(): Connection | undefined {
    if (this.isClosed || this.connection?.state === "superseded") throw new StoreError("closed");
    return this.connection?.state === "open" ? this.connection : undefined;
  }
}
