// What the page, the widget and the module load when something is to be kept; src/driver/store.rs calls it.

import { Keeper, type Tell } from "./keeper.ts";
import type { Bytes } from "./keys.ts";

/** Makes the keeper of a room; `states` are the names of the small values that are read at first. */
export const keep = (room: Bytes, states: string[], tell: Tell): Keeper => new Keeper(room, states, tell);
