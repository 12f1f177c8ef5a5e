/**
 * A multilayer perceptron of two layers, `W2 relu(W1 x + b1) + b2`, written with the tensor library and checked against
 * plain JavaScript.
 *
 *     npx tsx examples/mlp.ts
 */
import { Device, Generator, linear, relu, scope } from '../src/entry/tensor.ts';

const [BATCH, INPUTS, HIDDEN, OUTPUTS] = [5, 12, 32, 3];

await using device = Device.open('cpu');
const generator = new Generator(1);

await scope(async () => {
  const x = generator.randn(device, [BATCH, INPUTS]);
  const up = generator.uniform(device, [HIDDEN, INPUTS], -0.3, 0.3);
  const upBias = generator.uniform(device, [HIDDEN]);
  const down = generator.uniform(device, [OUTPUTS, HIDDEN], -0.3, 0.3);
  const downBias = generator.uniform(device, [OUTPUTS]);

  const y = linear(relu(linear(x, up, upBias)), down, downBias);

  const [rows, w1, b1, w2, b2] = await Promise.all([x, up, upBias, down, downBias].map(read));
  const layer = (input: ArrayLike<number>, w: Float32Array, b: Float32Array): number[] =>
    Array.from(b, (bias, n) =>
      Array.from(input).reduce((sum, value, k) => sum + value * w[n * input.length + k]!, bias),
    );
  const expected = Array.from({ length: BATCH }, (_, row) => {
    const input = rows!.subarray(row * INPUTS, (row + 1) * INPUTS);
    const hidden = layer(input, w1!, b1!).map((value) => Math.max(value, 0));
    return layer(hidden, w2!, b2!);
  }).flat();
  const actual = await y.read();
  const worst = Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!)));
  console.log(`mlp ${y.shape.join(' x ')}, largest difference ${worst.toExponential(1)}`);
});
console.log(`${device.memory().liveTensors} tensors left`);

function read(tensor: { readFloat32(): Promise<Float32Array> }): Promise<Float32Array> {
  return tensor.readFloat32();
}
