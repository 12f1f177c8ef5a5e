import { mul } from '../../ops/elementwise.ts';
import { matmul } from '../../ops/matmul.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { LoraRole } from './lora-names.ts';

type MatrixShape = readonly [rows: number, columns: number];

/** Shapes of the tensors of a module as matrices, by role. */
export type RoleShapes = ReadonlyMap<LoraRole, MatrixShape>;

/** What a form makes of its tensors. */
export interface FormLayout {
  /** `[N, K]` of the change. */
  readonly shape: MatrixShape;
  /** What alpha is divided by; null where the form does not scale. */
  readonly rank: number | null;
}

/** Gives the tensor of a role as an f32 matrix. */
type TakeRole = (role: LoraRole) => Tensor<'f32'>;

/** One way to store the change of a weight. */
export interface LoraForm {
  readonly name: string;
  /** Roles that belong to it. */
  readonly roles: readonly LoraRole[];
  /** What stands at the end of the name of the tensor it changes. */
  readonly parameter: 'weight' | 'bias';
  /** Null when tensors are missing or do not fit each other. */
  layout(shapes: RoleShapes): FormLayout | null;
  /** The change `[N, K]`, not yet scaled. */
  delta(take: TakeRole, shapes: RoleShapes): Tensor<'f32'>;
}

/** Two factors of low rank: Hu et al., arXiv 2106.09685. */
export const LOW_RANK: LoraForm = {
  name: 'LoRA',
  roles: ['down', 'up'],
  parameter: 'weight',
  layout: (shapes) => product(shapes.get('up'), shapes.get('down')),
  delta: (take) => matmul(take('up'), take('down')),
};

/** The elementwise product of two changes of low rank: FedPara, arXiv 2108.06098; LyCORIS, arXiv 2309.14859. */
const LOHA: LoraForm = {
  name: 'LoHa',
  roles: ['hada_w1_a', 'hada_w1_b', 'hada_w2_a', 'hada_w2_b'],
  parameter: 'weight',
  layout: (shapes) => {
    const first = product(shapes.get('hada_w1_a'), shapes.get('hada_w1_b'));
    const second = product(shapes.get('hada_w2_a'), shapes.get('hada_w2_b'));
    const fits = first !== null && second !== null && isSame(first.shape, second.shape);
    return fits ? first : null;
  },
  delta: (take) =>
    mul(matmul(take('hada_w1_a'), take('hada_w1_b')), matmul(take('hada_w2_a'), take('hada_w2_b'))),
};

/** The Kronecker product of two matrices, each whole or of low rank: LyCORIS, arXiv 2309.14859. */
const LOKR: LoraForm = {
  name: 'LoKr',
  roles: ['lokr_w1', 'lokr_w1_a', 'lokr_w1_b', 'lokr_w2', 'lokr_w2_a', 'lokr_w2_b'],
  parameter: 'weight',
  layout: (shapes) => {
    const [first, second] = [factor(shapes, 'lokr_w1'), factor(shapes, 'lokr_w2')];
    if (first === null || second === null) return null;
    const shape = [first.shape[0] * second.shape[0], first.shape[1] * second.shape[1]] as const;
    return { shape, rank: second.rank ?? first.rank };
  },
  delta: (take, shapes) => {
    const whole = (name: 'lokr_w1' | 'lokr_w2'): Tensor<'f32'> =>
      shapes.has(name) ? take(name) : matmul(take(`${name}_a`), take(`${name}_b`));
    const [outer, inner] = [whole('lokr_w1'), whole('lokr_w2')];
    const [a, b, c, d] = [...outer.shape, ...inner.shape] as [number, number, number, number];
    const blocks = mul(outer.reshape([a, 1, b, 1]), inner.reshape([1, c, 1, d]));
    return blocks.reshape([a * c, b * d]);
  },
};

/** The change itself. */
const DIFF: LoraForm = {
  name: 'diff',
  roles: ['diff'],
  parameter: 'weight',
  layout: (shapes) => whole(shapes.get('diff')),
  delta: (take) => take('diff'),
};

/** The change of a bias itself. */
const DIFF_BIAS: LoraForm = {
  name: 'diff_b',
  roles: ['diff_b'],
  parameter: 'bias',
  layout: (shapes) => whole(shapes.get('diff_b')),
  delta: (take) => take('diff_b'),
};

/** Every form that is read; a module may have several. */
export const LORA_FORMS: readonly LoraForm[] = [LOW_RANK, LOHA, LOKR, DIFF, DIFF_BIAS];

function product(left: MatrixShape | undefined, right: MatrixShape | undefined): FormLayout | null {
  if (left === undefined || right === undefined) return null;
  const [rank, columns] = right;
  return left[1] === rank && rank > 0 ? { shape: [left[0], columns], rank } : null;
}

function whole(shape: MatrixShape | undefined): FormLayout | null {
  return shape === undefined ? null : { shape, rank: null };
}

/** A matrix that is stored whole or as a product, never both. */
function factor(shapes: RoleShapes, name: 'lokr_w1' | 'lokr_w2'): FormLayout | null {
  const own = whole(shapes.get(name));
  const hasFactors = shapes.has(`${name}_a`) || shapes.has(`${name}_b`);
  if (own !== null) return hasFactors ? null : own;
  return product(shapes.get(`${name}_a`), shapes.get(`${name}_b`));
}

function isSame(a: MatrixShape, b: MatrixShape): boolean {
  return a[0] === b[0] && a[1] === b[1];
}
