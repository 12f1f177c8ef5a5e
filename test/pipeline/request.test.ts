import { describe, expect, it } from 'vitest';
import { checkRequest, type GenerateRequest, resolveRequest } from '../../src/pipeline/request.ts';
import { ModelFolder } from '../../src/weights/model-folder.ts';
import { officialInfo } from '../../src/weights/official/description.ts';
import { TINY_MODEL } from '../models/tiny-framepack.ts';

const MINIMAL = { model: 'folder', prompt: 'A ball.' };

describe('checkRequest', () => {
  it('accepts a minimal and an empty-prompt request', () => {
    expect(checkRequest(MINIMAL)).toEqual(MINIMAL);
    expect(checkRequest({ ...MINIMAL, prompt: '' }).prompt).toBe('');
  });

  it.each(['auto', 'cpu', 'cuda', 'cuda:0', 'cuda:17', 0, 3] as const)(
    'accepts device %s',
    (device) => {
      expect(checkRequest({ ...MINIMAL, device }).device).toBe(device);
    },
  );
});

describe('checkRequest refuses', () => {
  it.each([
    [{ seconds: 0 }, 'seconds'],
    [{ seconds: -1 }, 'seconds'],
    [{ seconds: 1e9 }, 'seconds'],
    [{ seconds: Number.NaN }, 'seconds'],
    [{ seconds: Number.POSITIVE_INFINITY }, 'seconds'],
    [{ seconds: '4' }, 'seconds'],
    [{ steps: 0 }, 'steps'],
    [{ steps: 2.5 }, 'steps'],
    [{ steps: 1000 }, 'steps'],
    [{ seed: -2 }, 'seed'],
    [{ seed: 2 ** 53 }, 'seed'],
    [{ seed: 2n ** 64n }, 'seed'],
    [{ seed: -2n }, 'seed'],
    [{ seed: 'any' }, 'seed'],
    [{ seed: 1.5 }, 'seed'],
    [{ cfg: 0.5 }, 'cfg'],
    [{ guidance: null }, 'guidance'],
    [{ guidanceRescale: 2 }, 'guidanceRescale'],
    [{ mode: 'sideways' }, 'mode'],
    [{ schedule: '' }, 'schedule'],
    [{ schedule: 9 }, 'schedule'],
    [{ latentWindowSize: 65 }, 'latentWindowSize'],
    [{ latentWindowSize: 0 }, 'latentWindowSize'],
    [{ flowShift: 0 }, 'flowShift'],
    [{ flowShift: 101 }, 'flowShift'],
    [{ device: 'tpu' }, 'device'],
    [{ device: 'meta' }, 'device'],
    [{ device: 'cuda:' }, 'device'],
    [{ device: 'cuda:1025' }, 'device'],
    [{ device: '1' }, 'device'],
    [{ device: -1 }, 'device'],
    [{ device: 0.5 }, 'device'],
    [{ dtype: 'f8e4m3' }, 'dtype'],
    [{ threads: 0 }, 'threads'],
    [{ budgetBytes: 1.5 }, 'budgetBytes'],
    [{ out: '' }, 'out'],
    [{ overwrite: 'yes' }, 'overwrite'],
    [{ crf: 52 }, 'crf'],
    [{ image: 5 }, 'image'],
    [{ signal: {} }, 'signal'],
    [{ model: '' }, 'model'],
    [{ preview: 'gif' }, 'preview'],
    [{ stepCache: { kind: 'x' } }, 'stepCache'],
    [{ loras: 'a.safetensors' }, 'loras'],
    [{ loras: [{ file: '' }] }, 'loras.0.file'],
    [{ loras: [{ file: 'a' }, { file: 'b', scale: 11 }] }, 'loras.1.scale'],
    [{ loras: [{ file: 'a', scale: Number.NaN }] }, 'loras.0.scale'],
    [{ loras: [{ file: 'a', strength: 1 }] }, 'loras.0'],
  ])('refuses %o and names the field', (change, field) => {
    const request = { ...MINIMAL, ...change } as unknown as GenerateRequest;
    expect(() => checkRequest(request)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', details: { field } }),
    );
  });
});

describe('the messages of checkRequest', () => {
  it.each([
    [{ seconds: '4' }, 'generate: seconds expected a number above 0, at most 120, got "4"'],
    [{ steps: 1000 }, 'generate: steps expected a whole number from 1 to 100, got 1000'],
    [{ prompt: '\u0001'.repeat(9000) }, /^generate: prompt expected text .*without control/],
    [{ negativePrompt: 'a\0' }, /^generate: negativePrompt expected text .*without control/],
    [{ signal: {} }, 'generate: signal expected an AbortSignal, got an object'],
    [{ image: [] }, 'generate: image expected a path or the bytes of a picture, got an array'],
    [{ mode: undefined, prompt: undefined }, /^generate: prompt expected text .*, got undefined$/],
    [
      { seed: -2n },
      /^generate: seed expected a whole number from 0 to 18446744073709551615 .*got -2$/,
    ],
  ])('says what %o may be and what it was', (change, message) => {
    const request = { ...MINIMAL, ...change } as unknown as GenerateRequest;
    expect(() => checkRequest(request)).toThrow(message);
  });

  it.each([
    ['promt', 'prompt'],
    ['second', 'seconds'],
    ['budgetbytes', 'budgetBytes'],
    ['negativeprompt', 'negativePrompt'],
    ['colour', undefined],
    ['x', undefined],
  ])('names the unknown field %s and suggests %s', (field, meant) => {
    const { model } = MINIMAL;
    const request = { model, [field]: 'A ball.' } as unknown as GenerateRequest;
    const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
    expect(() => checkRequest(request)).toThrow(
      expect.objectContaining({
        code: 'ERR_ARGUMENT',
        message: `generate: request expected only known fields, got "${field}"${hint}`,
      }),
    );
  });

  it('cuts long values short in the message', () => {
    const request = { ...MINIMAL, prompt: 'x'.repeat(10_001) };
    expect(() => checkRequest(request)).toThrow(/^generate: prompt expected .{10,200}\.\.\."$/);
  });

  it.each([undefined, null, 5, 'text', []])('refuses %o as a whole', (request) => {
    expect(() => checkRequest(request as unknown as GenerateRequest)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });
});

describe('resolveRequest', () => {
  it('asks for the mode that nothing tells', () => {
    const info = officialInfo(['i2v', 'f1'], null);
    expect(resolveRequest({ ...MINIMAL, mode: 'f1' }, info).mode).toBe('f1');
    expect(() => resolveRequest(MINIMAL, info)).toThrow(
      expect.objectContaining({
        code: 'ERR_ARGUMENT',
        message: expect.stringMatching(/^generate: mode expected i2v or f1, got none: .*F1_I2V_HY/),
      }),
    );
    const told = officialInfo(['f1'], 'f1');
    expect(() => resolveRequest({ ...MINIMAL, mode: 'i2v' }, told)).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED' }),
    );
  });

  it('takes defaults from the checkpoint', async () => {
    const { info } = await ModelFolder.open(TINY_MODEL);
    expect(resolveRequest(MINIMAL, info)).toEqual({
      prompt: 'A ball.',
      start: 'grey',
      negativePrompt: '',
      mode: info.defaults.mode,
      schedule: 'f1k1_x_g9_f1k1f2k2f16k4_td',
      latentWindowSize: 9,
      flowShift: null,
      seconds: info.defaults.seconds,
      steps: info.defaults.steps,
      seed: info.defaults.seed,
      guidance: info.defaults.guidance,
      cfg: info.defaults.cfg,
      guidanceRescale: info.defaults.guidanceRescale,
      tiling: null,
      stepCache: null,
    });
    for (const [stepCache, resolved] of [
      [0, null],
      ['first-block', { kind: 'first-block', threshold: 0.1 }],
      [{ threshold: 0.2 }, { kind: 'tea', threshold: 0.2 }],
      [{ kind: 'mag' }, { kind: 'mag', threshold: 0.24 }],
      [{ kind: 'mag', threshold: 0 }, null],
    ] as const) {
      expect(resolveRequest({ ...MINIMAL, stepCache }, info).stepCache).toEqual(resolved);
    }
    expect(() =>
      resolveRequest({ ...MINIMAL, stepCache: 'mag' }, { ...info, magRatios: null }),
    ).toThrow(expect.objectContaining({ code: 'ERR_UNSUPPORTED' }));
    const big = { ...MINIMAL, seed: 2n ** 64n - 1n };
    expect(resolveRequest(big, info).seed).toBe(2n ** 64n - 1n);
    const chosen = resolveRequest({ ...MINIMAL, mode: 'f1', stepCache: 0.15 }, info);
    expect(chosen).toMatchObject({ mode: 'f1', stepCache: { kind: 'tea', threshold: 0.15 } });
  });
});
