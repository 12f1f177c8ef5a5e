import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { adopt, hold, keep, type ScopeMember, scope } from '../../src/tensor/scope.ts';

/** Records that it was freed, like a tensor without memory. */
class Probe implements ScopeMember {
  isDisposed = false;

  constructor() {
    adopt(this);
  }

  dispose(): void {
    this.isDisposed = true;
  }
}

describe('scope', () => {
  test('frees all but the result', () => {
    let lost: Probe | undefined;
    const result = scope(() => {
      lost = new Probe();
      return new Probe();
    });
    expect([lost?.isDisposed, result.isDisposed]).toEqual([true, false]);
  });

  test('looks through arrays, plain objects, maps and sets', () => {
    const result = scope(() => ({
      list: [new Probe(), [new Probe()]],
      map: new Map([['key', { deep: new Probe() }]]),
      set: new Set([new Probe()]),
      bare: Object.assign(Object.create(null) as Record<string, Probe>, { a: new Probe() }),
      text: 'text',
      nothing: null,
    }));
    const probes = [
      ...result.list.flat(),
      result.map.get('key')!.deep,
      ...result.set,
      result.bare.a!,
    ];
    expect(probes.map((probe) => probe.isDisposed)).toEqual([false, false, false, false, false]);
  });

  test('survives cycles in the result', () => {
    const result = scope(() => {
      const node: { probe: Probe; self?: unknown } = { probe: new Probe() };
      node.self = node;
      return node;
    });
    expect(result.probe.isDisposed).toBe(false);
  });

  test('hands survivors to the enclosing scope', () => {
    let inner: Probe | undefined;
    const outer = scope(() => {
      inner = scope(() => new Probe());
      expect(inner.isDisposed).toBe(false);
      return new Probe();
    });
    expect([inner?.isDisposed, outer.isDisposed]).toEqual([true, false]);
  });

  test('frees everything when the body throws', () => {
    let probe: Probe | undefined;
    const fail = (): never =>
      scope(() => {
        probe = new Probe();
        throw new Error('body');
      });
    expect(fail).toThrow('body');
    expect(probe?.isDisposed).toBe(true);
  });

  test('keep takes a tensor out', () => {
    let kept: Probe | undefined;
    scope(() => {
      scope(() => {
        kept = keep(new Probe());
      });
    });
    expect(kept?.isDisposed).toBe(false);
  });

  test('leaves tensors made outside alone', () => {
    const outside = new Probe();
    scope(() => outside);
    scope(() => undefined);
    expect(outside.isDisposed).toBe(false);
  });
});

test('a scope looks into instances of classes, and calls no accessor', () => {
  class Layer {
    readonly weight = new Probe();
    readonly parts = { bias: new Probe() };
    readonly #hidden = new Probe();
    get computed(): never {
      throw new Error('accessor');
    }
    get hidden(): Probe {
      return this.#hidden;
    }
  }
  const layer = scope(() => [new Layer(), new Float32Array(3)] as const)[0];
  const probes = [layer.weight, layer.parts.bias, layer.hidden];
  expect(probes.map((probe) => probe.isDisposed)).toEqual([false, false, true]);
});

describe('asynchronous scope', () => {
  test('lasts across await and frees all but the result', async () => {
    let lost: Probe | undefined;
    const result = await scope(async () => {
      await sleep(1);
      lost = new Probe();
      await sleep(1);
      expect(lost.isDisposed).toBe(false);
      return [new Probe()];
    });
    expect([lost?.isDisposed, result[0]?.isDisposed]).toEqual([true, false]);
  });

  test('frees everything when the body rejects', async () => {
    let probe: Probe | undefined;
    const failing = scope(async () => {
      probe = new Probe();
      await sleep(1);
      throw new Error('body');
    });
    await expect(failing).rejects.toThrow('body');
    expect(probe?.isDisposed).toBe(true);
  });

  test('concurrent scopes do not free each other', async () => {
    const run = (delayMs: number): Promise<Probe> =>
      scope(async () => {
        const own = new Probe();
        await sleep(delayMs);
        expect(own.isDisposed).toBe(false);
        return own;
      });
    const probes = await Promise.all([run(1), run(10), run(5)]);
    expect(probes.map((probe) => probe.isDisposed)).toEqual([false, false, false]);
  });

  test('work that outlives its scope belongs to the next open one', async () => {
    let late: Promise<Probe> | undefined;
    await scope(async () => {
      scope(() => {
        late = sleep(5).then(() => new Probe());
      });
      const probe = await late;
      expect(probe?.isDisposed).toBe(false);
    });
    expect((await late)?.isDisposed).toBe(true);
  });
});

test.each([
  [() => scope(null as never), 'scope: body expected a function, got null'],
  [() => scope(() => 1, 7 as never), 'scope: name expected a text, got 7'],
])('refuses what is no body and no name', (call, message) => {
  expect(call).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT', message }) as Error);
});

describe('hold', () => {
  test('keeps what its body made, within other scopes, until it is freed', async () => {
    const held = await scope(async () => {
      const { result, free } = hold(async () => {
        await sleep(1);
        return scope(() => ({ kept: new Probe(), lost: void new Probe() }));
      });
      return { probe: (await result).kept, free };
    });
    expect(held.probe.isDisposed).toBe(false);
    held.free();
    expect(held.probe.isDisposed).toBe(true);
    held.free();
  });

  test('frees everything when its body throws', () => {
    let probe: Probe | undefined;
    const failing = (): void => {
      hold(() => {
        probe = new Probe();
        throw new Error('body');
      });
    };
    expect(failing).toThrow('body');
    expect(probe?.isDisposed).toBe(true);
  });
});
