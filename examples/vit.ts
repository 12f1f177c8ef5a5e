/**
 * A small vision transformer: patches of a picture become tokens, two blocks of attention and a perceptron mix them, and
 * their mean is classified. Written with the tensor library and its layers, checked against plain JavaScript.
 *
 *     npx tsx examples/vit.ts
 */
import { LayerNorm, Linear } from '../src/entry/nn.ts';
import {
  add,
  argmax,
  contiguous,
  Device,
  Generator,
  matmul,
  mean,
  mul,
  scope,
  softmax,
  type Tensor,
  tanh,
} from '../src/entry/tensor.ts';

const [SIZE, PATCH, CHANNELS, WIDTH, HEADS, CLASSES] = [16, 4, 3, 24, 3, 10];
const TOKENS = (SIZE / PATCH) ** 2;
const PATCH_VALUES = PATCH * PATCH * CHANNELS;
const HEAD_WIDTH = WIDTH / HEADS;
const EPS = 1e-6;

await using device = Device.open('cpu');
const generator = new Generator(2);

function weights(outputs: number, inputs: number): Linear {
  const scale = 1 / Math.sqrt(inputs);
  const weight = generator.uniform(device, [outputs, inputs], -scale, scale);
  return new Linear(weight, generator.uniform(device, [outputs], -0.1, 0.1));
}

function norm(): LayerNorm {
  const weight = generator.uniform(device, [WIDTH], 0.5, 1.5);
  return new LayerNorm(weight, generator.uniform(device, [WIDTH], -0.1, 0.1), EPS);
}

/** `x + attention(norm(x))`, then `x + perceptron(norm(x))`. */
class Block {
  readonly norm1 = norm();
  readonly qkv = weights(3 * WIDTH, WIDTH);
  readonly out = weights(WIDTH, WIDTH);
  readonly norm2 = norm();
  readonly up = weights(4 * WIDTH, WIDTH);
  readonly down = weights(WIDTH, 4 * WIDTH);

  forward(x: Tensor): Tensor {
    // [L, 3, N, K] -> three of [N, L, K]
    const heads = this.qkv.forward(this.norm1.forward(x)).reshape([TOKENS, 3, HEADS, HEAD_WIDTH]);
    const [q, k, v] = [0, 1, 2].map((i) =>
      heads
        .slice(1, i, i + 1)
        .squeeze(1)
        .permute([1, 0, 2]),
    );
    const scores = matmul(q!, k!.permute([0, 2, 1]));
    const mixed = matmul(softmax(mul(scores, 1 / Math.sqrt(HEAD_WIDTH))), v!);
    const joined = contiguous(mixed.permute([1, 0, 2])).reshape([TOKENS, WIDTH]);
    const y = add(x, this.out.forward(joined));
    return add(y, this.down.forward(tanh(this.up.forward(this.norm2.forward(y)))));
  }
}

await scope(async () => {
  const picture = generator.uniform(device, [SIZE, SIZE, CHANNELS], -1, 1);
  const embed = weights(WIDTH, PATCH_VALUES);
  const positions = generator.randn(device, [TOKENS, WIDTH]);
  const blocks = [new Block(), new Block()];
  const head = weights(CLASSES, WIDTH);

  const grid = picture.reshape([SIZE / PATCH, PATCH, SIZE / PATCH, PATCH, CHANNELS]);
  const patches = contiguous(grid.permute([0, 2, 1, 3, 4])).reshape([TOKENS, PATCH_VALUES]);
  let x: Tensor = add(embed.forward(patches), positions);
  for (const block of blocks) x = block.forward(x);
  const logits = head.forward(mean(x, { axis: 0, keepAxis: true }));

  const expected = await plainLogits(picture, embed, positions, blocks, head);
  const actual = await logits.readFloat32();
  const [best] = await argmax(logits).read();
  const worst = Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!)));
  console.log(`vit class ${best}, by hand ${expected.indexOf(Math.max(...expected))}`);
  console.log(`largest difference ${worst.toExponential(1)}`);
});
console.log(`${device.memory().liveTensors} tensors left`);

type Rows = number[][];

/** The same network in numbers and loops. */
async function plainLogits(
  picture: Tensor,
  embed: Linear,
  positions: Tensor,
  blocks: readonly Block[],
  head: Linear,
): Promise<number[]> {
  const pixels = await picture.readFloat32();
  const patches = Array.from({ length: TOKENS }, (_, token) => {
    const [top, left] = [Math.floor(token / (SIZE / PATCH)), token % (SIZE / PATCH)];
    return Array.from({ length: PATCH_VALUES }, (_, i) => {
      const [row, column] = [Math.floor(i / (PATCH * CHANNELS)), Math.floor(i / CHANNELS) % PATCH];
      const pixel = (top * PATCH + row) * SIZE + left * PATCH + column;
      return pixels[pixel * CHANNELS + (i % CHANNELS)]!;
    });
  });
  let x = sums(await plainLinear(embed, patches), rowsOf(await positions.readFloat32(), WIDTH));
  for (const block of blocks) {
    const qkv = await plainLinear(block.qkv, await plainNorm(block.norm1, x));
    x = sums(x, await plainLinear(block.out, plainAttention(qkv)));
    const hidden = await plainLinear(block.up, await plainNorm(block.norm2, x));
    x = sums(
      x,
      await plainLinear(
        block.down,
        hidden.map((row) => row.map(Math.tanh)),
      ),
    );
  }
  const average = Array.from({ length: WIDTH }, (_, i) => total(x.map((row) => row[i]!)) / TOKENS);
  return (await plainLinear(head, [average]))[0]!;
}

function plainAttention(qkv: Rows): Rows {
  return qkv.map((token) =>
    Array.from({ length: HEADS }, (_, h) => {
      const part = (row: number[], i: number): number[] =>
        row.slice(i * WIDTH + h * HEAD_WIDTH, i * WIDTH + (h + 1) * HEAD_WIDTH);
      const scores = qkv.map((other) => dot(part(token, 0), part(other, 1)));
      const powers = scores.map((score) => Math.exp(score / Math.sqrt(HEAD_WIDTH)));
      const shares = powers.map((power) => power / total(powers));
      return Array.from({ length: HEAD_WIDTH }, (_, k) =>
        total(shares.map((share, s) => share * part(qkv[s]!, 2)[k]!)),
      );
    }).flat(),
  );
}

async function plainLinear({ weight, bias }: Linear, x: Rows): Promise<Rows> {
  const b = await bias!.readFloat32();
  const w = rowsOf(await (weight as Tensor).readFloat32(), x[0]!.length);
  return x.map((row) => w.map((column, n) => dot(row, column) + b[n]!));
}

async function plainNorm({ weight, bias, eps }: LayerNorm, x: Rows): Promise<Rows> {
  const [w, b] = await Promise.all([weight.readFloat32(), bias.readFloat32()]);
  return x.map((row) => {
    const middle = total(row) / row.length;
    const variance = total(row.map((value) => (value - middle) ** 2)) / row.length;
    return row.map((value, i) => ((value - middle) / Math.sqrt(variance + eps)) * w[i]! + b[i]!);
  });
}

function rowsOf(values: Float32Array, width: number): Rows {
  return Array.from({ length: values.length / width }, (_, row) => [
    ...values.subarray(row * width, (row + 1) * width),
  ]);
}

function sums(a: Rows, b: Rows): Rows {
  return a.map((row, i) => row.map((value, j) => value + b[i]![j]!));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return total(a.map((value, i) => value * b[i]!));
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
