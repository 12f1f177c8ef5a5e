import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LoraAlpha } from '../../../src/weights/lora/lora-alpha.ts';

const alphaOf = (config: object | string): LoraAlpha => {
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  return new LoraAlpha(new Map([['lora_adapter_metadata', text]]), 'a.safetensors');
};

describe('LoraAlpha', () => {
  it('is the rank where nothing is said', () => {
    const alpha = new LoraAlpha(new Map([['ss_network_alpha', '1']]), 'a.safetensors');
    expect(alpha.scaleOf('x', 8, undefined)).toBe(1);
  });

  it('comes from a tensor before the metadata', () => {
    expect(alphaOf({ lora_alpha: 3 }).scaleOf('x', 4, 2)).toBe(0.5);
  });

  it('comes from the metadata, with or without the name of the network', () => {
    expect(alphaOf({ 'transformer.lora_alpha': 2 }).scaleOf('x', 4, undefined)).toBe(0.5);
    expect(alphaOf({ lora_alpha: 2 }).scaleOf('x', 4, undefined)).toBe(0.5);
    const others = { 'transformer.lora_alpha': 2, 'text_encoder.lora_alpha': 9 };
    expect(alphaOf(others).scaleOf('x', 4, undefined)).toBe(0.5);
    expect(alphaOf({ lora_alpha: 2, use_rslora: true }).scaleOf('x', 4, undefined)).toBe(1);
  });

  it('comes from the configuration that PEFT puts beside its weights, and only there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lora-alpha-'));
    try {
      const config = { r: 4, lora_alpha: 2, alpha_pattern: {}, use_rslora: false, bias: 'none' };
      writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(config));
      const scales = ['adapter_model.safetensors', 'other.safetensors'].map((name) =>
        new LoraAlpha(new Map(), join(folder, name)).scaleOf('x', 4, undefined),
      );
      expect(scales).toEqual([0.5, 1]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('follows patterns at the end of a name, from a dot on', () => {
    const alpha = alphaOf({ lora_alpha: 4, alpha_pattern: { 'attn.to_k': 1, '^to_q': 2 } });
    const scales = ['b.0.attn.to_k', 'attn.to_k', 'x_attn.to_k', 'to_q', 'b.to_q'];
    expect(scales.map((name) => alpha.scaleOf(name, 4, undefined))).toEqual([
      0.25, 0.25, 1, 0.5, 1,
    ]);
  });

  it.each([
    ['not json', 'ERR_CHECKPOINT'],
    ['[1]', 'ERR_CHECKPOINT'],
    [{ lora_alpha: 'much' }, 'ERR_CHECKPOINT'],
    [{ use_dora: true }, 'ERR_UNSUPPORTED'],
    [{ alpha_pattern: { '(a+)+$': 1 } }, 'ERR_UNSUPPORTED'],
  ])('refuses %j', (config, code) => {
    expect(() => alphaOf(config)).toThrow(expect.objectContaining({ code }));
  });
});
