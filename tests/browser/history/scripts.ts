// What the tests of the store call.

import { Keeper } from "../../../embed/store/keeper.ts";
import { Store } from "../../../embed/store/records.ts";

Object.assign(globalThis, { Keeper, Store });
