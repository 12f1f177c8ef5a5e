import { AsyncLocalStorage } from 'node:async_hooks';
import { FramePackError, quote } from '../errors.ts';

/** What a scope can own. */
export interface ScopeMember {
  /** `freedBy` names the scope that frees what its body did not return. */
  dispose(freedBy?: string): void;
}

/** Tensors made while a scope runs, until it ends, or they are disposed or kept. */
class Frame {
  readonly owned: Set<ScopeMember> = new Set();
  readonly parent: Frame | undefined;
  /** What errors call the scope. */
  readonly label: string;
  isOpen = true;

  constructor(parent: Frame | undefined, label: string) {
    this.parent = parent;
    this.label = label;
  }

  /** Frees what `result` does not reach; hands the rest to the enclosing scope. */
  close(result: unknown): void {
    const survivors = new Set<ScopeMember>();
    collect(result, this.owned, survivors);
    const heir = openFrame(this.parent);
    this.isOpen = false;
    for (const tensor of this.owned) {
      if (survivors.has(tensor)) heir?.owned.add(tensor);
      else tensor.dispose(this.label);
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
 * @param name - what `ERR_DISPOSED` calls the scope that freed a tensor; without one it says `scope()`.
 * @returns what `body` returns.
 * @throws {@link FramePackError} `ERR_ARGUMENT` for a body that is no function, or a name that is no text.
 */
export function scope<T>(body: () => T, name?: string): T {
  if (typeof body !== 'function') throw argumentError('body', 'a function', body);
  if (name !== undefined && typeof name !== 'string') throw argumentError('name', 'a text', name);
  const label = name === undefined ? 'scope()' : `scope ${quote(name)}`;
  const frame = new Frame(openFrame(frames.getStore()), label);
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

/** What {@link hold} made, until it is freed. */
export interface Held<T> {
  /** What the body returned. */
  readonly result: T;
  /** Frees what was made while the body ran, and did not go into another scope. A second call does nothing. */
  free(): void;
}

/** A {@link scope} that does not end with its body, which may be asynchronous, but when it is freed. */
export function hold<T>(body: () => T): Held<T> {
  const frame = new Frame(openFrame(frames.getStore()), 'hold()');
  const free = (): void => {
    if (frame.isOpen) frame.close(undefined);
  };
  try {
    return { result: frames.run(frame, body), free };
  } catch (error) {
    free();
    throw error;
  }
}

function argumentError(argument: string, expected: string, got: unknown): FramePackError {
  const message = `scope: ${argument} expected ${expected}, got ${quote(got)}`;
  return new FramePackError('ERR_ARGUMENT', message, { argument });
}

/** The error of every use of a disposed tensor; `freedBy` names the scope that did it, if one did. */
export function disposedError(
  operation: string,
  argument: string,
  freedBy: string | undefined,
): FramePackError {
  const got =
    freedBy === undefined
      ? 'a disposed one'
      : `one that its ${freedBy} freed at its end; return it from the scope, or keep() it`;
  const message = `${operation}: ${argument} expected a live tensor, got ${got}`;
  return new FramePackError('ERR_DISPOSED', message, { argument, scope: freedBy });
}

/** Takes a tensor out of its scope: the caller disposes it. */
export function keep<T extends ScopeMember>(tensor: T): T {
  forget(tensor);
  return tensor;
}

/** Gives a new tensor to the innermost running scope, if any. */
export function adopt(tensor: ScopeMember): void {
  openFrame(frames.getStore())?.owned.add(tensor);
}

/** Makes the scopes around this call forget a tensor. */
export function forget(tensor: ScopeMember): void {
  let frame = frames.getStore();
  while (frame !== undefined && !frame.owned.delete(tensor)) frame = frame.parent;
}

function collect(root: unknown, owned: Set<ScopeMember>, found: Set<ScopeMember>): void {
  const visited = new Set<object>();
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null || visited.has(value)) continue;
    visited.add(value);
    if (owned.has(value as ScopeMember)) found.add(value as ScopeMember);
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
