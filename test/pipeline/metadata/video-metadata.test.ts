import { describe, expect, it } from 'vitest';
import {
  metadataText,
  parseMetadata,
  storedLora,
} from '../../../src/pipeline/metadata/video-metadata.ts';
import { FACTS } from './sample-facts.ts';

describe('metadataText', () => {
  it('gives everything back, long prompts and large seeds too', () => {
    const facts = { ...FACTS, prompt: '\u{1F642}"\\\n'.repeat(2000), seed: 2n ** 64n - 1n };
    const metadata = parseMetadata(metadataText(facts));
    expect(metadata).toEqual({
      ...facts,
      ...{ generator: 'framepack-node', node: process.versions.node },
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    });
    expect(parseMetadata(metadataText(FACTS))?.seed).toBe(3);
  });

  it('of an older version had no LoRAs', () => {
    const { loras: _, ...older } = JSON.parse(metadataText(FACTS)) as typeof FACTS;
    expect(parseMetadata(JSON.stringify(older))?.loras).toEqual([]);
  });

  it('of a version before schedules had that of its mode', () => {
    const { schedule: _, latentWindowSize: _window, flowShift: _shift, ...older } = FACTS;
    const text = metadataText({ ...older, mode: 'f1' } as typeof FACTS);
    expect(parseMetadata(text)).toMatchObject({
      ...{ schedule: 'f1k1_td_f16k4f2k2f1k1_g9', latentWindowSize: 9, flowShift: null },
    });
  });

  it('names LoRAs without their folder', () => {
    const report = { file: 'a/b.safetensors', scale: 2, sha256: 'c'.repeat(64), numMatched: 3 };
    const stored = storedLora({ ...report, unmatched: ['x'] });
    expect(stored).toEqual({ ...report, file: 'b.safetensors', numUnmatched: 1 });
    expect(parseMetadata(metadataText({ ...FACTS, loras: [stored] }))?.loras).toEqual([stored]);
  });

  it('stays small enough for one argument of a program', () => {
    for (const worst of ['\u{1F642}'.repeat(5000), '\ud800'.repeat(10_000), '"'.repeat(10_000)]) {
      const text = metadataText({ ...FACTS, prompt: worst, negativePrompt: worst });
      expect(Buffer.byteLength(text)).toBeLessThan(100_000);
      expect(parseMetadata(text)?.prompt).toBe(worst.replaceAll('\ud800', '\ufffd'));
    }
  });
});

describe('parseMetadata', () => {
  it.each([
    'a comment',
    '{}',
    '[]',
    'null',
    JSON.stringify({ ...FACTS, generator: 'another' }),
    metadataText(FACTS).replace('"steps":2', '"steps":"2"'),
    metadataText(FACTS).slice(0, -1),
  ])('takes nothing else for it: %s', (text) => {
    expect(parseMetadata(text)).toBeNull();
  });
});
