import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { FramePackError } from '../../src/errors.ts';
import { OutputFile, writeError } from '../../src/media/output-file.ts';
import { temporaryFolder } from './sample-media.ts';

const OUTPUT_ERROR = (message: RegExp) => ({
  code: 'ERR_OUTPUT',
  message: expect.stringMatching(message),
});

describe('a file', () => {
  test('appears complete under its name and under no other', async () => {
    const folder = temporaryFolder();
    const output = await OutputFile.reserveFile(path.join(folder, 'a.mp4'));
    expect(readdirSync(folder)).toEqual([path.basename(output.temporaryPath)]);
    writeFileSync(output.temporaryPath, 'content');
    await output.publish();
    expect(readdirSync(folder)).toEqual(['a.mp4']);
    expect(readFileSync(output.path, 'utf8')).toBe('content');
  });

  test('leaves nothing when discarded, twice too', async () => {
    const folder = temporaryFolder();
    const output = await OutputFile.reserveFile(path.join(folder, 'a.mp4'));
    await output.discard();
    await output.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('an existing file, folder or dangling link is refused and untouched', async () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'file'), 'old');
    mkdirSync(path.join(folder, 'folder'));
    symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'link'));
    for (const name of ['file', 'folder', 'link']) {
      await expect(OutputFile.reserveFile(path.join(folder, name))).rejects.toMatchObject(
        OUTPUT_ERROR(/expected a new file name, got an existing one/u),
      );
    }
    expect(readFileSync(path.join(folder, 'file'), 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['file', 'folder', 'link']);
  });

  test('a name taken meanwhile is not overwritten and the result is kept', async () => {
    const folder = temporaryFolder();
    const output = await OutputFile.reserveFile(path.join(folder, 'a.mp4'));
    writeFileSync(output.temporaryPath, 'ours');
    writeFileSync(output.path, 'theirs');
    await expect(output.publish()).rejects.toMatchObject(OUTPUT_ERROR(/the result is kept as/u));
    expect(readFileSync(output.path, 'utf8')).toBe('theirs');
    const [kept] = readdirSync(folder).filter((name) => name.endsWith('.kept'));
    expect(readFileSync(path.join(folder, kept!), 'utf8')).toBe('ours');
    expect(readdirSync(folder)).toHaveLength(2);
  });

  test('of two that finish with one name, exactly one wins', async () => {
    const target = path.join(temporaryFolder(), 'a.mp4');
    const outputs = await Promise.all([1, 2, 3, 4].map(() => OutputFile.reserveFile(target)));
    const results = await Promise.allSettled(outputs.map((output) => output.publish()));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('a missing folder and a file as folder are told', async () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'file'), '');
    for (const parent of ['none', 'file']) {
      await expect(
        OutputFile.reserveFile(path.join(folder, parent, 'a.mp4')),
      ).rejects.toMatchObject(
        OUTPUT_ERROR(/expected an existing folder ".*", got none; create it/u),
      );
    }
  });

  test('a name that is too long is told', async () => {
    const target = path.join(temporaryFolder(), 'x'.repeat(300));
    await expect(OutputFile.reserveFile(target)).rejects.toMatchObject(
      OUTPUT_ERROR(/expected a usable file name/u),
    );
  });
});

describe('a folder', () => {
  test('appears with its content', async () => {
    const folder = temporaryFolder();
    const output = await OutputFile.reserveFolder(path.join(folder, 'frames'));
    writeFileSync(path.join(output.temporaryPath, 'x'), '');
    await output.publish();
    expect(readdirSync(folder)).toEqual(['frames']);
    expect(readdirSync(output.path)).toEqual(['x']);
  });

  test('never replaces an existing one, even an empty one', async () => {
    const folder = temporaryFolder();
    const output = await OutputFile.reserveFolder(path.join(folder, 'frames'));
    mkdirSync(output.path);
    await expect(output.publish()).rejects.toMatchObject(OUTPUT_ERROR(/taken meanwhile/u));
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/\.kept$/), 'frames']);
  });
});

test('writeError keeps our own errors and explains others', () => {
  const own = new FramePackError('ERR_OUTPUT', 'x');
  expect(writeError('a.mp4', own)).toBe(own);
  const full = new Error('ENOSPC: no space left on device');
  expect(writeError('a.mp4', full)).toMatchObject({
    ...OUTPUT_ERROR(/a\.mp4 expected to be written, got ENOSPC: no space left/u),
    cause: full,
  });
});

describe('overwriting', () => {
  test('a file or a link takes place of the old one once it is complete', async () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'target'), 'behind the link');
    symlinkSync(path.join(folder, 'target'), path.join(folder, 'link.mp4'));
    writeFileSync(path.join(folder, 'a.mp4'), 'old');
    for (const name of ['a.mp4', 'link.mp4', 'new.mp4']) {
      const output = await OutputFile.reserveFile(path.join(folder, name), true);
      writeFileSync(output.temporaryPath, 'new');
      if (name === 'a.mp4') expect(readFileSync(output.path, 'utf8')).toBe('old');
      await output.publish();
      expect(readFileSync(output.path, 'utf8')).toBe('new');
    }
    expect(readFileSync(path.join(folder, 'target'), 'utf8')).toBe('behind the link');
    expect(readdirSync(folder).toSorted()).toEqual(['a.mp4', 'link.mp4', 'new.mp4', 'target']);
  });

  test('what is discarded leaves the old one', async () => {
    const target = path.join(temporaryFolder(), 'a.mp4');
    writeFileSync(target, 'old');
    const output = await OutputFile.reserveFile(target, true);
    await output.discard();
    expect(readFileSync(target, 'utf8')).toBe('old');
  });

  test('a folder of numbered pictures is replaced as a whole', async () => {
    const folder = temporaryFolder();
    const target = path.join(folder, 'a-frames');
    mkdirSync(target);
    for (const name of ['frame-00000.png', 'frame-00001.png']) {
      writeFileSync(path.join(target, name), 'old');
    }
    const output = await OutputFile.reserveFolder(target, true);
    writeFileSync(path.join(output.temporaryPath, 'frame-00000.png'), 'new');
    await output.publish();
    expect(readdirSync(folder)).toEqual(['a-frames']);
    expect(readdirSync(target)).toEqual(['frame-00000.png']);
  });

  test('nothing else is replaced', async () => {
    const folder = temporaryFolder();
    mkdirSync(path.join(folder, 'photos'));
    for (const name of ['frame-00000.png', 'holiday.jpg']) {
      writeFileSync(path.join(folder, 'photos', name), '');
    }
    writeFileSync(path.join(folder, 'file'), '');
    const photos = path.join(folder, 'photos');
    await expect(OutputFile.reserveFolder(photos, true)).rejects.toMatchObject(
      OUTPUT_ERROR(/nothing but numbered pictures to overwrite, got one with "holiday.jpg"/u),
    );
    await expect(OutputFile.reserveFile(photos, true)).rejects.toMatchObject(
      OUTPUT_ERROR(/expected a file to overwrite, got something else/u),
    );
    await expect(OutputFile.reserveFolder(path.join(folder, 'file'), true)).rejects.toMatchObject(
      OUTPUT_ERROR(/numbered pictures to overwrite, got something else/u),
    );
    expect(readdirSync(folder).toSorted()).toEqual(['file', 'photos']);
  });
});
