import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { encodePng } from '../../../src/media/png.ts';
import { PICTURE, TINY_REQUEST } from '../../pipeline/tiny-request.ts';
import { runCli } from '../run-cli.ts';

test('a disk that is full at the end costs nothing: the frames are kept, and encode finishes the video', async ({
  skip,
}) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'framepack-full-'));
  const disk = path.join(folder, 'disk');
  const temporary = path.join(folder, 'tmp');
  spawnSync('mkdir', [disk, temporary]);
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', disk]);
  if (mount.status !== 0) skip('this user may not mount a small disk');
  try {
    const { model, prompt } = TINY_REQUEST;
    const args = ['--model', model, '--prompt', prompt, '--image', PICTURE, '--seconds', '1.2'];
    const out = path.join(disk, 'a.mp4');
    const failed = await runCli(
      ['generate', ...args, '--steps', '2', '--crf', '0', '--out', out],
      undefined,
      { TMPDIR: temporary },
    );
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    const kept = path.join(temporary, 'a-frames');
    expect(failed.stderr).toContain(`the 37 frames are kept in ${kept}`);
    expect(readdirSync(disk)).toEqual([]);

    const video = path.join(folder, 'a.mp4');
    const finished = await runCli(['encode', kept, '--out', video]);
    expect(finished).toMatchObject({ code: 0, stdout: `${video}\n` });
    expect(finished.stderr).toContain('37 frames (1.2 s)');
  } finally {
    spawnSync('umount', [disk]);
    rmSync(folder, { recursive: true });
  }
}, 120_000);

test('--quiet prints nothing but the path, and --force overwrites', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'framepack-encode-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const pictures = path.join(folder, 'pictures');
  spawnSync('mkdir', [pictures]);
  const image = { width: 64, height: 48, data: new Uint8Array(64 * 48 * 3) };
  writeFileSync(path.join(pictures, 'frame-00000.png'), await encodePng(image));
  const video = path.join(folder, 'a.mp4');
  writeFileSync(video, 'old');
  const args = ['encode', pictures, '--out', video, '--quiet'];
  expect(await runCli(args)).toMatchObject({ code: 1, stdout: '' });
  expect(readFileSync(video, 'utf8')).toBe('old');
  expect(await runCli([...args, '--force'])).toEqual({ code: 0, stdout: `${video}\n`, stderr: '' });
  expect(readFileSync(video).length).toBeGreaterThan(500);
}, 60_000);
