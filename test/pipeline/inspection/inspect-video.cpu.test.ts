import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodePng } from '../../../src/media/png.ts';
import { inspectVideo } from '../../../src/pipeline/inspection/inspect-video.ts';
import { collect, PICTURE, TINY_REQUEST } from '../tiny-request.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-inspect-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const prompt = `A ring \u{1F642} ${'"grows" and\nshrinks '.repeat(450)}`;
const request = { ...TINY_REQUEST, steps: 1, prompt };
const sha256 = (file: string): string =>
  createHash('sha256').update(readFileSync(file)).digest('hex');

describe('inspectVideo', { timeout: 120_000 }, () => {
  it.each(['{seed}-{n}.mp4', '{seed}-{n}/'])('reads back all of a run from %s', async (name) => {
    const seed = 2n ** 63n + 1n;
    const events = await collect({ ...request, seed, out: join(folder, name), crf: 20 });
    const file = events.at(-1) as { readonly file: string };
    const metadata = await inspectVideo(file.file);
    expect(file.file).toContain(join(folder, `${seed}-1`));
    expect(metadata).toMatchObject({
      ...{ generator: 'framepack-node', model: 'tiny-framepack', prompt, seed, crf: 20 },
      ...{ mode: 'i2v', steps: 1, seconds: 1.2, start: null, stepCache: null },
      ...{ width: 128, height: 96, fps: 30, numFrames: 37, device: 'cpu', dtype: 'f32' },
      image: sha256(PICTURE),
    });
    const [weights, digest] = Object.entries(metadata.checkpoint!)[0]!;
    expect(digest).toBe(sha256(join(request.model, weights)));
  });

  it('finds nothing when nothing was to be stored', async () => {
    const out = join(folder, 'a.mp4');
    await collect({ ...request, out, metadata: false });
    const [name] = readdirSync(folder);
    const file = join(folder, name!);
    await expect(inspectVideo(file)).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringContaining('got no comment'),
    });
    if (name === 'a.mp4') expect(readFileSync(file).includes('A ring')).toBe(false);
  });

  it("refuses another program's comment", async () => {
    const file = join(folder, 'a.png');
    const image = { width: 1, height: 1, data: new Uint8Array(3) };
    writeFileSync(file, await encodePng(image, 'Made with GIMP'));
    await expect(inspectVideo(file)).rejects.toThrow(/expected parameters.*got another comment/);
  });
});
