import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { PICTURE, TINY_REQUEST } from '../../pipeline/tiny-request.ts';
import { runCli } from '../run-cli.ts';

test('a disk that is full at the end costs nothing: the frames are kept, and encode finishes the video', async ({
  skip,
}) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'framepack-full-'));
  const disk = path.join(folder, 'disk');
  const temporary = path.join(folder, 'tmp');
  spawnSync('mkdir', [disk, temporary]);
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', disk]);
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
