import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodePng } from '../../../../src/media/png.ts';
import { metadataText } from '../../../../src/pipeline/metadata/video-metadata.ts';
import { TINY_MODEL } from '../../../models/tiny-framepack.ts';
import { FACTS } from '../../../pipeline/metadata/sample-facts.ts';
import { runCli } from '../../run-cli.ts';

describe('framepack inspect', { timeout: 60_000 }, () => {
  it('shows the parts of a model', async () => {
    const { code, stdout } = await runCli(['inspect', TINY_MODEL]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/tiny-framepack: modes i2v f1, 30 fps, sizes 128x96/);
    expect(stdout).toMatch(/transformer +\d+ tensors +[\d.]+ M parameters +[\d.]+ MB BF16 ".+"/);
    expect(stdout).toContain(`F16 "${join(TINY_MODEL, 'vae')}"\n`);
    const json = await runCli(['inspect', TINY_MODEL, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ parts: expect.any(Array) });
  });

  it('shows how a picture was made, without what a terminal would obey', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'framepack-inspect-')), 'a.png');
    const image = { width: 1, height: 1, data: new Uint8Array(3) };
    const facts = { ...FACTS, prompt: 'red\u001b[31m\u009b31m', seed: 2n ** 64n - 1n };
    writeFileSync(file, await encodePng(image, metadataText(facts)));
    const { code, stdout } = await runCli(['inspect', file]);
    expect(code).toBe(0);
    expect(stdout).toContain('prompt           "red\\u001b[31m\ufffd31m"\n');
    expect(stdout).toContain('seed             18446744073709551615\n');
    expect(stdout).toContain(`vae/a.safetensors "${'a'.repeat(64)}"`);
    const json = await runCli(['inspect', file, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ seed: '18446744073709551615', steps: 2 });
    rmSync(dirname(file), { recursive: true });
  });

  it('refuses what is no model', async () => {
    const { code, stderr } = await runCli(['inspect', '/nowhere']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^framepack: .*\/nowhere.*\(ERR_CHECKPOINT\)\n$/);
    const clip = join(TINY_MODEL, 'text_encoder_2', 'model.safetensors');
    const other = await runCli(['inspect', clip]);
    expect(other.stderr).toContain('expected weights of FramePack, got none of its networks in it');
  });
});
