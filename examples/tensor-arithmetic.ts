/**
 * The tensor library alone: softmax attention over random tokens, checked against its definition.
 *
 *     npx tsx examples/tensor-arithmetic.ts
 */
import { attention, Device, Generator, scope } from '../src/entry/tensor.ts';

await using device = Device.open('cpu');
const generator = new Generator(42);

await scope(async () => {
  const shape = [1, 4, 1, 16];
  const [q, k, v] = [0, 1, 2].map(() => generator.randn(device, shape)) as [
    ReturnType<typeof generator.randn>,
    ReturnType<typeof generator.randn>,
    ReturnType<typeof generator.randn>,
  ];
  const mixed = await attention(q, k, v).readFloat32();
  const [queries, keys, values] = await Promise.all([q.read(), k.read(), v.read()]);
  const scores = [0, 1, 2, 3].map((token) =>
    Math.exp(queries.slice(0, 16).reduce((sum, x, i) => sum + x * keys[token * 16 + i]!, 0) / 4),
  );
  const total = scores.reduce((sum, score) => sum + score, 0);
  const first = scores.reduce(
    (sum, score, token) => sum + (score / total) * values[token * 16]!,
    0,
  );
  console.log(`attention ${mixed[0]!.toFixed(5)}, by hand ${first.toFixed(5)}`);
});
console.log(`${device.memory().liveTensors} tensors left`);
