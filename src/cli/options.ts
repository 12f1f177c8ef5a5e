import { InvalidArgumentError } from 'commander';
import type { StepCacheChoice, StepCacheKind } from '../index.ts';

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

/** Reads bytes with an optional unit, such as `6GiB` or `512MB`. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(|[kKMGT]i?B|B)$/.exec(text.trim());
  if (!match) throw new InvalidArgumentError('expected bytes, such as 6GiB or 512MB.');
  const [, digits, unit] = match as unknown as [string, string, string];
  const power = ['', 'K', 'M', 'G', 'T'].indexOf(unit.replace(/i?B$/, '').toUpperCase());
  const base = unit.includes('i') ? 1024 : 1000;
  return Math.floor(Number(digits) * base ** power);
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
