import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseSiglipVisionConfig } from '../../../src/models/siglip/config.ts';
import { SiglipVision } from '../../../src/models/siglip/siglip-vision.ts';
import { Device } from '../../../src/tensor/device.ts';
import { Generator } from '../../../src/tensor/generator.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { fromArray } from '../../../src/tensor/tensor.ts';
import { tinyConfig, tinyWeights } from '../tiny-framepack.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

const config = parseSiglipVisionConfig(tinyConfig('image_encoder'));
const SIZE = config.imageSize;

async function states(pixels: Float32Array): Promise<Float32Array> {
  const checkpoint = await tinyWeights(device, 'image_encoder');
  return scope(async () => {
    const siglip = SiglipVision.load(checkpoint.scope(), config, 'f32');
    checkpoint.assertUsed();
    const result = await siglip.forward(fromArray(device, pixels, [1, 3, SIZE, SIZE], 'f32'));
    expect(result.shape).toEqual([1, (SIZE / config.patchSize) ** 2, config.hiddenSize]);
    return result.readFloat32();
  });
}

describe('SiglipVision', () => {
  it('looks both ways: the last patch changes the first token', async () => {
    const pixels = new Generator(1).nextNormals(3 * SIZE * SIZE);
    const before = await states(pixels);
    pixels[pixels.length - 1]! += 2;
    const after = await states(pixels);
    expect(after.slice(0, config.hiddenSize)).not.toEqual(before.slice(0, config.hiddenSize));
    expect(device.memory().liveTensors).toBe(0);
  });
});
