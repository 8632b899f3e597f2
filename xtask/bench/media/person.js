// Gives the person of this window storage of their own, though all windows belong to one profile. Runs before all other scripts.
{
  const own = (name) => `PERSON ${name}`;
  const patch = (type, ...methods) => {
    for (const method of methods) {
      const native = type.prototype[method];
      type.prototype[method] = function (name, ...rest) {
        return native.call(this, own(name), ...rest);
      };
    }
  };
  patch(Storage, "getItem", "setItem", "removeItem");
  patch(IDBFactory, "open", "deleteDatabase");
  patch(LockManager, "request");
  const Native = BroadcastChannel;
  globalThis.BroadcastChannel = class extends Native {
    constructor(name) {
      super(own(name));
    }
  };
}
