import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClipText } from '../../../src/models/clip/clip-text.ts';
import { parseClipTextConfig } from '../../../src/models/clip/config.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { tinyConfig, tinyWeights } from '../tiny-framepack.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

const config = parseClipTextConfig(tinyConfig('text_encoder_2'));
const END = config.vocabularySize - 1;

async function run(
  ids: readonly number[],
): Promise<{ pooled: Float32Array; hidden: Float32Array }> {
  const checkpoint = await tinyWeights(device, 'text_encoder_2');
  return scope(async () => {
    const clip = ClipText.load(checkpoint.scope(), config, 'f32');
    checkpoint.assertUsed();
    const { pooled, hidden } = await clip.forward(ids);
    return { pooled: await pooled.readFloat32(), hidden: await hidden.readFloat32() };
  });
}

describe('ClipText', () => {
  it('pools at the first end token, whatever the padding', async () => {
    const start = END - 1;
    const short = await run([start, 3, 4, 5, END]);
    const padded = await run([start, 3, 4, 5, END, END, END, END]);
    expect(padded).toEqual(short);
    expect(short.pooled).toEqual(short.hidden.slice(4 * config.hiddenSize));
  });

  it('hears every word', async () => {
    const one = await run([END - 1, 3, 4, 5, END]);
    const other = await run([END - 1, 3, 9, 5, END]);
    expect(one.pooled).not.toEqual(other.pooled);
  });

  it('leaves nothing on the device', async () => {
    await run([END - 1, END]);
    expect(device.memory().liveTensors).toBe(0);
  });
});
