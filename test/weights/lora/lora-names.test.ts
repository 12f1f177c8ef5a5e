import { describe, expect, it } from 'vitest';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import {
  ORIGINAL_MODULES,
  REFUSED_SUFFIXES,
  ROLE_SUFFIXES,
} from '../../../src/weights/lora/lora-names.ts';
import { ditShapes } from '../../models/dit/dit-tensors.ts';
import { tinyConfig } from '../../models/tiny-framepack.ts';

describe('the names of LoRAs', () => {
  const weights = new Set(Object.keys(ditShapes(parseDitConfig(tinyConfig('transformer')))));

  it('lead to modules that the transformer has, from each name once', () => {
    const targets = ORIGINAL_MODULES.flatMap(({ to }) => to);
    const missing = targets.filter((name) => !weights.has(`${name.replace('.N.', '.0.')}.weight`));
    expect(missing).toEqual([]);
    expect(new Set(targets).size).toBe(targets.length);
    const names = ORIGINAL_MODULES.flatMap(({ from }) =>
      from.map((name) => name.replaceAll('.', '_')),
    );
    const repeated = names.filter((name, index) => names.indexOf(name) !== index);
    // The original code and ComfyUI differ by a dot there.
    expect(repeated.every((name) => /(qkv|proj)$/.test(name))).toBe(true);
  });

  it('cover every block of the transformer', () => {
    const targets = new Set(ORIGINAL_MODULES.flatMap(({ to }) => to));
    const inBlocks = [...weights]
      .filter((name) => /^(single_)?transformer_blocks\.0\..*\.weight$/.test(name))
      .map((name) => name.replace('.0.', '.N.').replace(/\.weight$/, ''));
    expect(inBlocks.filter((name) => !targets.has(name))).toEqual([]);
  });

  it('are not both read and refused', () => {
    const suffixes = [...ROLE_SUFFIXES, ...REFUSED_SUFFIXES].map(([suffix]) => suffix);
    expect(new Set(suffixes).size).toBe(suffixes.length);
  });
});
