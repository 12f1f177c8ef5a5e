import { AsyncLocalStorage } from 'node:async_hooks';

/** What a scope can own. */
export interface Disposable {
  /** `isEndOfScope` when a scope frees what its body did not return. */
  dispose(isEndOfScope?: boolean): void;
}

/** Tensors made while a scope runs, until it ends, or they are disposed or kept. */
class Frame {
  readonly owned: Set<Disposable> = new Set();
  readonly parent: Frame | undefined;
  isOpen = true;

  constructor(parent: Frame | undefined) {
    this.parent = parent;
  }

  /** Frees what `result` does not reach; hands the rest to the enclosing scope. */
  close(result: unknown): void {
    const survivors = new Set<Disposable>();
    collect(result, this.owned, survivors);
    const heir = openFrame(this.parent);
    this.isOpen = false;
    for (const tensor of this.owned) {
      if (survivors.has(tensor)) heir?.owned.add(tensor);
      else tensor.dispose(true);
    }
    this.owned.clear();
  }
}

const frames = new AsyncLocalStorage<Frame>();

function openFrame(frame: Frame | undefined): Frame | undefined {
  let open = frame;
  while (open !== undefined && !open.isOpen) open = open.parent;
  return open;
}

/**
 * Runs `body` and frees every tensor made inside, except those that its result reaches: a tensor, or
 * arrays, objects, instances of classes, maps and sets of them, nested. Private `#fields` are out of its sight: `keep()`
 * what they hold. Survivors belong to the enclosing scope, or to
 * the caller when there is none. An asynchronous body keeps its scope across `await`, also beside other
 * scopes. When the body throws, everything is freed.
 *
 * @returns what `body` returns.
 */
export function scope<T>(body: () => T): T {
  const frame = new Frame(openFrame(frames.getStore()));
  let result: T;
  try {
    result = frames.run(frame, body);
  } catch (error) {
    frame.close(undefined);
    throw error;
  }
  if (!(result instanceof Promise)) {
    frame.close(result);
    return result;
  }
  return result.then(
    (value: unknown) => {
      frame.close(value);
      return value;
    },
    (error: unknown) => {
      frame.close(undefined);
      throw error;
    },
  ) as T;
}

/** Takes a tensor out of its scope: the caller disposes it. */
export function keep<T extends Disposable>(tensor: T): T {
  forget(tensor);
  return tensor;
}

/** Gives a new tensor to the innermost running scope, if any. */
export function adopt(tensor: Disposable): void {
  openFrame(frames.getStore())?.owned.add(tensor);
}

/** Makes the scopes around this call forget a tensor. */
export function forget(tensor: Disposable): void {
  let frame = frames.getStore();
  while (frame !== undefined && !frame.owned.delete(tensor)) frame = frame.parent;
}

function collect(root: unknown, owned: Set<Disposable>, found: Set<Disposable>): void {
  const visited = new Set<object>();
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null || visited.has(value)) continue;
    visited.add(value);
    if (owned.has(value as Disposable)) found.add(value as Disposable);
    else for (const member of membersOf(value)) pending.push(member);
  }
}

function membersOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value;
  if (value instanceof Map) return value.values();
  return ArrayBuffer.isView(value) ? [] : fieldsOf(value);
}

/** Values of an object's own fields; accessors are not called. */
function fieldsOf(value: object): unknown[] {
  return Object.values(Object.getOwnPropertyDescriptors(value)).map((field) => field.value);
}
