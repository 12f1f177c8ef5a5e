import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DoubleBlock, SingleBlock } from '../../../src/models/dit/blocks.ts';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { affine } from '../../../src/ops/elementwise.ts';
import { ropeTable } from '../../../src/ops/rope.ts';
import { Device } from '../../../src/tensor/device.ts';
import { Generator } from '../../../src/tensor/generator.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { maxAbsError } from '../../golden/report.ts';
import { tinyConfig, tinyWeights } from '../tiny-framepack.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

const config = parseDitConfig(tinyConfig('transformer'));
const table = (positions: readonly number[]) =>
  ropeTable(device, {
    framePositions: positions,
    height: 2,
    width: 2,
    axisWidths: config.ropeAxisWidths,
    theta: config.ropeTheta,
  });

function streams(): {
  image: ReturnType<Generator['randn']>;
  text: ReturnType<Generator['randn']>;
} {
  const generator = new Generator(5);
  return {
    image: generator.randn(device, [1, 8, config.width]),
    text: generator.randn(device, [1, 3, config.width]),
  };
}

describe('DoubleBlock', () => {
  it('lets both streams hear each other', async () => {
    const checkpoint = await tinyWeights(device, 'transformer');
    await scope(async () => {
      const { image, text } = streams();
      const activated = new Generator(6).randn(device, [1, config.width]);
      const block = DoubleBlock.load(checkpoint.scope('transformer_blocks.0'), config);
      const modulations = DoubleBlock.modulations(checkpoint.scope('transformer_blocks.0'), config);
      const modulation = modulations.map((layer) => layer.forward(activated));
      const conditions = { modulation, rope: table([0, 1]) };
      const mixed = block.forward({ image, text }, conditions);
      expect(mixed.image.shape).toEqual(image.shape);
      expect(mixed.text.shape).toEqual(text.shape);
      const quiet = block.forward({ image, text: affine(text, 0.5, 0) }, conditions);
      expect(await quiet.image.readFloat32()).not.toEqual(await mixed.image.readFloat32());
      const dark = block.forward({ image: affine(image, 0.5, 1), text }, conditions);
      expect(await dark.text.readFloat32()).not.toEqual(await mixed.text.readFloat32());
    });
  });
});

describe('SingleBlock', () => {
  it('sees image positions only relative to each other', async () => {
    const checkpoint = await tinyWeights(device, 'transformer');
    await scope(async () => {
      const { image } = streams();
      const activated = new Generator(6).randn(device, [1, config.width]);
      const block = SingleBlock.load(checkpoint.scope('single_transformer_blocks.0'), config);
      const modulations = SingleBlock.modulations(
        checkpoint.scope('single_transformer_blocks.0'),
        config,
      );
      const modulation = modulations.map((layer) => layer.forward(activated));
      const run = (positions: readonly number[]): Promise<Float32Array> =>
        block.forward(image, { modulation, rope: table(positions) }).readFloat32();
      const here = await run([0, 1]);
      expect(maxAbsError(await run([9, 10]), here)).toBeLessThan(1e-4);
      expect(maxAbsError(await run([0, 9]), here)).toBeGreaterThan(1e-4);
    });
  });
});
