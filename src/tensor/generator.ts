import { FramePackError, show } from '../errors.ts';
import { checkDevice, type Device } from './device.ts';
import { checkShape, type Shape, sizeOf } from './shape.ts';
import { hostBuffer } from './storage.ts';
import { fromArray, type Tensor } from './tensor.ts';

const STATE_WORDS = 624;
const SHIFT_WORDS = 397;
/** Place of the kept number in a state: behind the twister's words and their count, aligned for a float of 64 bits. */
const SPARE_AT = STATE_WORDS + 2;
const NUM_WORDS = SPARE_AT + 2;
/** PyTorch's vectorised path draws in blocks of 16 and is taken from 16 numbers on. */
const BLOCK = 16;

/** The Mersenne Twister MT19937 (Matsumoto and Nishimura 1998), seeded with one 32-bit word. */
class MersenneTwister {
  readonly #state = new Uint32Array(STATE_WORDS);
  #index = STATE_WORDS;

  constructor(seed: number) {
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < STATE_WORDS; i++) {
      const previous = state[i - 1]! ^ (state[i - 1]! >>> 30);
      state[i] = Math.imul(previous, 1812433253) + i;
    }
  }

  /** Continues where another one stood; the words are those of {@link MersenneTwister.words}. */
  static of(words: Uint32Array): MersenneTwister {
    const twister = new MersenneTwister(0);
    twister.#state.set(words.subarray(0, STATE_WORDS));
    twister.#index = words[STATE_WORDS]!;
    return twister;
  }

  /** The state, and behind it how many of its words are used. */
  get words(): Uint32Array {
    return Uint32Array.of(...this.#state, this.#index);
  }

  /** 32 uniform bits. */
  next(): number {
    if (this.#index === STATE_WORDS) this.#twist();
    let word = this.#state[this.#index++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < STATE_WORDS; i++) {
      const next = state[(i + 1) % STATE_WORDS]!;
      const mixed = (state[i]! & 0x80000000) | (next & 0x7fffffff);
      const twisted = (mixed >>> 1) ^ (next & 1 ? 0x9908b0df : 0);
      state[i] = state[(i + SHIFT_WORDS) % STATE_WORDS]! ^ twisted;
    }
    this.#index = 0;
  }
}

/**
 * Random numbers that agree with `torch.Generator` on the CPU, so that a seed makes the same picture as
 * upstream. Only the low 32 bits of the seed count, as in PyTorch. One generator serves one job: every draw
 * advances it.
 */
export class Generator {
  #twister: MersenneTwister;
  /** The second number of a scalar Box-Muller pair, kept for the next scalar draw. */
  #spare: number | undefined;

  /** @throws {@link FramePackError} `ERR_ARGUMENT` unless the seed is a whole number >= 0. */
  constructor(seed: number | bigint) {
    const isWhole = typeof seed === 'bigint' ? seed >= 0n : Number.isSafeInteger(seed) && seed >= 0;
    if (!isWhole) {
      throw new FramePackError(
        'ERR_ARGUMENT',
        `Generator: seed expected a whole number >= 0, got ${show(seed)}`,
      );
    }
    this.#twister = new MersenneTwister(Number(BigInt(seed) & 0xffffffffn));
  }

  /**
   * A generator that draws on where another one stood.
   *
   * @param state - its {@link Generator.state}.
   * @throws {@link FramePackError} `ERR_ARGUMENT` for anything else.
   */
  static fromState(state: Uint32Array): Generator {
    const place = state instanceof Uint32Array ? state[STATE_WORDS] : undefined;
    const isState = place !== undefined && place <= STATE_WORDS && state.length === NUM_WORDS;
    if (!isState) {
      const got = state instanceof Uint32Array ? `${state.length} words` : show(state);
      const message = `Generator.fromState: state expected ${NUM_WORDS} words of a state, got ${got}`;
      throw new FramePackError('ERR_ARGUMENT', message);
    }
    const generator = new Generator(0);
    generator.#twister = MersenneTwister.of(state);
    const [spare] = new Float64Array(state.slice(SPARE_AT).buffer);
    generator.#spare = Number.isNaN(spare) ? undefined : spare;
    return generator;
  }

  /**
   * All that later draws depend on, to go on with them in another process: 624 words of the twister, how many of them are
   * used, an unused word, and the kept second number as a float of 64 bits, NaN for none.
   */
  get state(): Uint32Array {
    const spare = new Uint32Array(Float64Array.of(this.#spare ?? Number.NaN).buffer);
    return Uint32Array.of(...this.#twister.words, 0, ...spare);
  }

  /** Standard normal numbers like `torch.randn` on the CPU, filled in row-major order. */
  randn(device: Device, shape: Shape): Tensor<'f32'> {
    checkDevice('randn', device);
    checkShape('randn', shape);
    return fromArray(device, this.nextNormals(sizeOf(shape)), shape, 'f32');
  }

  /**
   * Numbers in `[low, high)` like `torch.rand` on the CPU, filled in row-major order: multiples of 2^-24 between 0 and 1,
   * scaled and rounded to f32.
   *
   * @throws {@link FramePackError} `ERR_SHAPE`; `ERR_ARGUMENT` unless the bounds are finite.
   */
  uniform(device: Device, shape: Shape, low = 0, high = 1): Tensor<'f32'> {
    checkDevice('uniform', device);
    checkShape('uniform', shape);
    if (!Number.isFinite(low) || !Number.isFinite(high)) {
      throw new FramePackError(
        'ERR_ARGUMENT',
        `uniform: bounds expected finite numbers, got ${show(low)} and ${show(high)}`,
      );
    }
    const values = new Float32Array(hostBuffer('uniform', sizeOf(shape) * 4));
    for (let i = 0; i < values.length; i++) values[i] = low + this.#nextUniform24() * (high - low);
    return fromArray(device, values, shape, 'f32');
  }

  /**
   * The next `count` standard normal numbers. f32 results agree with PyTorch within 1e-6 (its logarithm and
   * cosine are vectorised).
   *
   * @throws {@link FramePackError} `ERR_ARGUMENT` unless the count is whole and >= 0; `ERR_OUT_OF_MEMORY`.
   */
  nextNormals(count: number): Float32Array {
    if (!Number.isSafeInteger(count) || count < 0) {
      const message = `nextNormals: count expected a whole number >= 0, got ${show(count)}`;
      throw new FramePackError('ERR_ARGUMENT', message);
    }
    const values = new Float32Array(hostBuffer('nextNormals', count * 4));
    if (count < BLOCK) {
      for (let i = 0; i < count; i++) values[i] = this.#nextScalarNormal();
      return values;
    }
    for (let i = 0; i < count; i++) values[i] = this.#nextUniform24();
    for (let start = 0; start + BLOCK <= count; start += BLOCK) boxMuller(values, start);
    if (count % BLOCK !== 0) {
      const start = count - BLOCK;
      for (let i = start; i < count; i++) values[i] = this.#nextUniform24();
      boxMuller(values, start);
    }
    return values;
  }

  #nextUniform24(): number {
    return (this.#twister.next() & 0xffffff) * 2 ** -24;
  }

  #nextUniform53(): number {
    const high = this.#twister.next() & 0x1fffff;
    const low = this.#twister.next();
    return (high * 2 ** 32 + low) * 2 ** -53;
  }

  #nextScalarNormal(): number {
    const spare = this.#spare;
    if (spare !== undefined) {
      this.#spare = undefined;
      return spare;
    }
    const angle = 2 * Math.PI * this.#nextUniform53();
    const radius = Math.sqrt(-2 * Math.log1p(-this.#nextUniform53()));
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

/** Turns 16 uniform numbers into normal ones: the first half gives the radii, the second the angles. */
function boxMuller(values: Float32Array, start: number): void {
  for (let i = start; i < start + BLOCK / 2; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - values[i]!));
    const angle = 2 * Math.PI * values[i + BLOCK / 2]!;
    values[i] = radius * Math.cos(angle);
    values[i + BLOCK / 2] = radius * Math.sin(angle);
  }
}
