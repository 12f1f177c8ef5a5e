import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCheckpointInfo } from '../../src/weights/checkpoint-info.ts';

const FILE = new URL('../../models/tiny-framepack/framepack.json', import.meta.url);

const tiny = () => JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, unknown>;

describe('parseCheckpointInfo', () => {
  it('reads the description of the small checkpoint', () => {
    const info = parseCheckpointInfo(tiny(), 'framepack.json');
    expect(info).toMatchObject({
      name: 'tiny-framepack',
      fps: 30,
      latentWindowSize: 9,
      buckets: [{ height: 96, width: 128 }],
      prompt: { hiddenLayer: -3, maxLength: 256, paddedLength: 512, clipMaxLength: 77 },
      modes: ['i2v', 'f1'],
      defaults: { mode: 'i2v', seconds: 5, steps: 20, seed: 31337, guidance: 10, cfg: 1 },
    });
    expect(info.defaults.guidanceRescale).toBe(0);
    expect(info.preview.range).toEqual({ low: -1, high: 1 });
    expect(info.preview.weights).toHaveLength(16);
    expect(info.preview.weights[0]).toEqual([-0.340179, -0.093648, -0.213102]);
    expect(info.preview.bias).toEqual([0.081388, 0.241153, 0.072548]);
  });

  it.each([
    ['format', 'framepack-checkpoint/2', 'format'],
    ['family', 'wan', 'family'],
    ['fps', 0, 'fps'],
    ['latent_window_size', 4.5, 'latent_window_size'],
    ['buckets', [], 'buckets'],
    ['buckets', [[96]], 'buckets.0'],
    ['modes', ['i2v', 'loop'], 'modes.1'],
    ['modes', ['f1'], 'defaults.mode'],
    ['prompt', { template: 'no place' }, 'prompt.template'],
    ['preview', { space: 'hsv', matrix: [[0, 0, 0]], bias: [0, 0, 0] }, 'preview.space'],
    ['name', undefined, 'name'],
  ])('refuses %s = %j', (key, value, field) => {
    const json = { ...tiny(), [key]: value };
    expect(() => parseCheckpointInfo(json, 'framepack.json')).toThrow(
      expect.objectContaining({
        code: 'ERR_CHECKPOINT',
        details: { file: 'framepack.json', field },
      }),
    );
  });

  it('refuses what is no object', () => {
    expect(() => parseCheckpointInfo(null, 'framepack.json')).toThrow('framepack.json: content');
  });
});
