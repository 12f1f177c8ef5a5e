import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DeviceChoice, LoraChoice, StepCacheChoice, StepCacheKind } from '../index.ts';

/** What an option has beyond flags and description. */
interface OptionTraits<T> {
  /** What happens without the option, in words; the library fills it in. */
  readonly default?: string | undefined;
  /** The values it may have; with `parse` those that are offered, which it may take others beside. */
  readonly choices?: readonly string[] | undefined;
  readonly parse?: ((text: string) => T) | undefined;
  /** Whether it may be given several times; its value is a list then. */
  readonly repeats?: boolean | undefined;
}

/** An option whose help says what happens without it. */
export function option<T>(
  flags: string,
  description: string,
  traits: OptionTraits<T> = {},
): Option {
  const { default: otherwise, choices, parse, repeats = false } = traits;
  const end = otherwise === undefined ? '' : ` (default: ${otherwise})`;
  const made = new Option(flags, `${description}${end}`);
  if (choices !== undefined) made.choices(choices);
  if (parse !== undefined) {
    made.argParser((text: string, before: unknown) =>
      repeats ? [...((before as T[] | undefined) ?? []), parse(text)] : parse(text),
    );
  }
  return made;
}

/** An option that a command does not run without. */
class RequiredOption extends Option {
  /** Another option that does as well. */
  substitute: string | undefined;
}

/** An option that {@link checkRequired} asks for, unless its substitute is given. */
export function requiredOption(flags: string, description: string, substitute?: string): Option {
  const unless = substitute === undefined ? '' : ` unless --${substitute} is given`;
  const made = new RequiredOption(flags, `${description} (required${unless})`);
  made.substitute = substitute;
  return made;
}

/**
 * Refuses a command without one of its required options. Commander's own check comes before that of unknown options,
 * but a misspelt one is often why another is missing.
 */
export function checkRequired(command: Command): void {
  for (const required of command.options) {
    if (!(required instanceof RequiredOption)) continue;
    const names = [required.attributeName(), required.substitute ?? ''];
    if (names.some((name) => command.getOptionValue(name) !== undefined)) continue;
    const message = `error: required option '${required.flags}' not specified`;
    command.error(message, { code: 'commander.missingMandatoryOptionValue' });
  }
}

/** For programs that only want the result. */
export function quietOption(): Option {
  return option('--quiet', 'print nothing but the result, warnings and errors').conflicts('json');
}

/** What to load, for every command that loads something. */
export function modelOption(substitute?: string): Option {
  return requiredOption(
    '--model <path>',
    'model folder, models folder of ComfyUI, weights, or a model in the Hugging Face cache such as lllyasviel/FramePackI2V_HY',
    substitute,
  );
}

/** Reads a finite number for commander; ranges belong to the request. */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw new InvalidArgumentError('expected a number.');
  }
  return value;
}

/** Reads a whole number for commander. */
export function parseInteger(text: string): number {
  const value = parseNumber(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('expected a whole number.');
  return value;
}

/** Reads a seed: a whole number, exact beyond 2^53 too, or `random`; ranges belong to the request. */
export function parseSeed(text: string): number | bigint | 'random' {
  if (text === 'random') return text;
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number or random.');
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

const DEVICE = /^(?:auto|cpu|cuda(?::\d+)?|\d+)$/;

/** Reads a device: `auto`, `cpu`, `cuda`, or a GPU among several, as `cuda:1` or `1`. */
export function parseDevice(text: string): DeviceChoice {
  if (!DEVICE.test(text)) {
    throw new InvalidArgumentError('expected auto, cpu, cuda, or a GPU such as cuda:1 or 1.');
  }
  return /^\d/.test(text) ? Number(text) : (text as DeviceChoice);
}

/** Reads pixels such as `480x832`, the height first as in the notation of kernels; multiples belong to the library. */
export function parseSize(text: string): { height: number; width: number } {
  const [, height, width] = /^(\d+)x(\d+)$/.exec(text.trim()) ?? [];
  if (height === undefined || width === undefined) {
    throw new InvalidArgumentError('expected height x width, such as 480x832.');
  }
  return { height: Number(height), width: Number(width) };
}

/** Reads bytes with an optional unit, such as `6GiB` or `512MB`. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(|[kKMGT]i?B|B)$/.exec(text.trim());
  if (!match) throw new InvalidArgumentError('expected bytes, such as 6GiB or 512MB.');
  const [, digits, unit] = match as unknown as [string, string, string];
  const power = ['', 'K', 'M', 'G', 'T'].indexOf(unit.replace(/i?B$/, '').toUpperCase());
  const base = unit.includes('i') ? 1024 : 1000;
  return Math.floor(Number(digits) * base ** power);
}

/** Reads a LoRA: a file, and behind a colon its scale if wanted. */
export function parseLora(text: string): LoraChoice {
  const colon = text.lastIndexOf(':');
  const [file, scale] = [text.slice(0, colon), text.slice(colon + 1)];
  const isScale = scale.trim() !== '' && Number.isFinite(Number(scale));
  if (colon < 1 || !(isScale || file.endsWith('.safetensors'))) return { file: text };
  return { file, scale: parseNumber(scale) };
}

const STEP_CACHE = /^(?:(tea|mag|first-block)(?::(.+))?|([\d.]+))$/;

/** Reads a step cache: a kind, a threshold of `tea`, or both as in `mag:0.24`. */
export function parseStepCache(text: string): StepCacheChoice {
  const match = STEP_CACHE.exec(text.trim());
  if (!match) {
    throw new InvalidArgumentError('expected tea, mag or first-block, such as tea:0.15.');
  }
  const [, kind, behindKind, alone] = match;
  const threshold = behindKind ?? alone;
  return {
    kind: kind as StepCacheKind | undefined,
    threshold: threshold === undefined ? undefined : parseNumber(threshold),
  };
}
