// The one thing that `xmpp/` and `ui/` share: objects that say when they have changed.

/** Something that tells others. `on` gives back how to stop listening. */
export class Emitter {
  #listeners = new Map();

  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    return () => this.#listeners.get(name)?.delete(listener);
  }

  emit(name, ...values) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(...values);
  }
}

/** Something that is shown. Many changes in one go are told once. */
export class Model extends Emitter {
  version = 0;
  #told = true;

  changed() {
    this.version += 1;
    if (!this.#told) return;
    this.#told = false;
    queueMicrotask(() => {
      this.#told = true;
      this.emit('change');
    });
  }
}
