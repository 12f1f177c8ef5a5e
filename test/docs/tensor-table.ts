const { exp, log, sqrt, tanh } = Math;

type Numbers = number | readonly Numbers[];

const X = [
  [1, 2, 3],
  [4, 5, 6],
] as const;

function each(f: (value: number) => number): Numbers {
  return X.map((row) => row.map(f));
}

function softmax(scores: readonly number[]): number[] {
  const total = scores.reduce((sum, score) => sum + exp(score), 0);
  return scores.map((score) => exp(score) / total);
}

function mix(scores: readonly number[]): Numbers {
  const [first, second] = softmax(scores) as [number, number];
  return [[1, 2, 3, 4].map((value) => first * value + second * (value + 4))];
}

const rms = (row: readonly number[]): number =>
  sqrt(row.reduce((sum, v) => sum + v * v, 0) / 3 + 1e-6);
const silu = (v: number): number => v / (1 + exp(-v));
const gelu = (v: number): number =>
  (v / 2) * (1 + tanh(sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
const LINEAR = [
  [1, 2, 3, 6],
  [4, 5, 6, 15],
] as const;

/**
 * What the lines of the table in docs/tensors.md give, by their left side: the expressions of the right side in order.
 * The random numbers are those that PyTorch's own documentation and tutorials print for these seeds.
 */
export const EXPECTED: Readonly<Record<string, readonly Numbers[]>> = {
  '`torch.tensor([[1., 2.], [3., 4.]])`': [
    [
      [1, 2],
      [3, 4],
    ],
  ],
  '`torch.zeros(2, 2)`': [
    [
      [0, 0],
      [0, 0],
    ],
  ],
  '`torch.full((2,), 7.)`': [[7, 7]],
  '`torch.arange(4.)`': [[0, 1, 2, 3]],
  '`torch.manual_seed(1); torch.randn(2, 3)`': [
    [
      [0.6614, 0.2669, 0.0617],
      [0.6213, -0.4519, -0.1661],
    ],
  ],
  '`torch.manual_seed(1); torch.rand(3)`': [[0.7576, 0.2793, 0.4031]],
  '`x.tolist()`, `x.numpy()`': [[1, 2, 3, 4, 5, 6]],
  '`x.numel()`': [6],
  '`x.to(torch.float16)`': [X],
  "`x.to('cuda')`": [X],
  '`x.reshape(3, 2)`': [
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  ],
  '`x.T`': [
    [
      [1, 4],
      [2, 5],
      [3, 6],
    ],
  ],
  '`x[:, 1:]`': [
    [
      [2, 3],
      [5, 6],
    ],
  ],
  '`x[:, ::2]`': [
    [
      [1, 3],
      [4, 6],
    ],
  ],
  '`x[1]`': [[4, 5, 6]],
  '`v[:, None]`': [[[1], [2], [3]]],
  '`v.expand(2, 3)`': [
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
  ],
  '`x.split([1, 2], dim=1)`': [
    [
      [[1], [4]],
      [
        [2, 3],
        [5, 6],
      ],
    ],
  ],
  '`x.contiguous()`': [X],
  '`torch.cat([x, y], dim=1)`': [
    [
      [1, 2, 3, 6, 5, 4],
      [4, 5, 6, 3, 2, 1],
    ],
  ],
  '`torch.stack([v, v])`': [
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
  ],
  '`F.pad(x, (1, 0))`': [
    [
      [0, 1, 2, 3],
      [0, 4, 5, 6],
    ],
  ],
  '`x + y`, `x + 1`': [
    [
      [7, 7, 7],
      [7, 7, 7],
    ],
    [
      [2, 3, 4],
      [5, 6, 7],
    ],
  ],
  '`x - y`': [
    [
      [-5, -3, -1],
      [1, 3, 5],
    ],
  ],
  '`x * v`': [
    [
      [1, 4, 9],
      [4, 10, 18],
    ],
  ],
  '`x / y`': [
    [
      [1 / 6, 2 / 5, 3 / 4],
      [4 / 3, 5 / 2, 6],
    ],
  ],
  '`2 * x + 1`': [
    [
      [3, 5, 7],
      [9, 11, 13],
    ],
  ],
  '`torch.lerp(x, y, 0.25)`': [
    [
      [2.25, 2.75, 3.25],
      [3.75, 4.25, 4.75],
    ],
  ],
  '`torch.maximum(x, y)`, `torch.minimum(x, y)`': [
    [
      [6, 5, 4],
      [4, 5, 6],
    ],
    [
      [1, 2, 3],
      [3, 2, 1],
    ],
  ],
  '`x.clamp(2, 5)`': [
    [
      [2, 2, 3],
      [4, 5, 5],
    ],
  ],
  '`x.exp()`, `x.log()`': [each(exp), each(log)],
  '`x.sqrt()`, `x.rsqrt()`': [each(sqrt), each((value) => 1 / sqrt(value))],
  '`x.tanh()`': [each(tanh)],
  '`F.relu(x)`': [X],
  '`F.silu(x)`': [each(silu)],
  "`F.gelu(x, approximate='tanh')`": [each(gelu)],
  '`x > 3`, `x <= y`, `x == y`': [
    [
      [0, 0, 0],
      [1, 1, 1],
    ],
    [
      [1, 1, 1],
      [0, 0, 0],
    ],
    [
      [0, 0, 0],
      [0, 0, 0],
    ],
  ],
  '`torch.where(x > 3, x, 0.)`': [
    [
      [0, 0, 0],
      [4, 5, 6],
    ],
  ],
  '`x @ y.T`': [
    [
      [28, 10],
      [73, 28],
    ],
  ],
  '`F.linear(x, w, b)`': [LINEAR.map((row) => row.map((value, n) => value + 10 * n))],
  '`F.silu(F.linear(x, w))`': [LINEAR.map((row) => row.map(silu))],
  '`x.sum()`': [21],
  '`x.mean(dim=1)`': [[2, 5]],
  '`x.std(dim=1)`': [[1, 1]],
  '`x.amax(dim=(0, 1))`': [6],
  '`x.amin(dim=1, keepdim=True)`': [[[1], [4]]],
  '`y.argmax(dim=1)`, `y.argmin()`': [[0, 0], 5],
  '`torch.topk(x, 2)`': [
    [
      [
        [3, 2],
        [6, 5],
      ],
      [
        [2, 1],
        [2, 1],
      ],
    ],
  ],
  '`x.cumsum(dim=1)`': [
    [
      [1, 3, 6],
      [4, 9, 15],
    ],
  ],
  '`F.softmax(x, dim=-1)`': [X.map(softmax)],
  '`F.layer_norm(x, (3,), eps=1e-5)`': [
    X.map(() => [-1, 0, 1].map((value) => value / sqrt(2 / 3 + 1e-5))),
  ],
  '`F.rms_norm(x, (3,), v, 1e-6)`': [
    X.map((row) => row.map((value, i) => (value / rms(row)) * (i + 1))),
  ],
  '`F.scaled_dot_product_attention(q, k, t)`': [[[mix([1, 0]), mix([0, 2])]]],
  '`F.embedding(torch.tensor([1, 0]), x)`': [
    [
      [4, 5, 6],
      [1, 2, 3],
    ],
  ],
  '`x.gather(1, ids)`': [
    [
      [3, 1],
      [4, 5],
    ],
  ],
  '`y.scatter(1, ids, z)`': [
    [
      [8, 5, 7],
      [9, 10, 1],
    ],
  ],
  '`x.index_select(1, torch.tensor([2, 0]))`': [
    [
      [3, 1],
      [6, 4],
    ],
  ],
  '`F.conv1d(s, kernel, padding=1)`': [[[[-2], [-2], [-2], [3]]]],
  "`F.interpolate(p, (4, 4), mode='bilinear')`": [
    [
      [0, 0.25, 0.75, 1],
      [0.5, 0.75, 1.25, 1.5],
      [1.5, 1.75, 2.25, 2.5],
      [2, 2.25, 2.75, 3],
    ].reduce<Numbers[][]>((batch, row) => [[...batch[0]!, row.map((value) => [value])]], [[]]),
  ],
  '`(~x.isfinite()).sum()`': [0],
};
