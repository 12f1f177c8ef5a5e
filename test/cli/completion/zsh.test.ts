import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { zshCompletion } from '../../../src/cli/completion/zsh.ts';
import { framepackCommands, hasShell, linesOf } from './shells.ts';

test('names every command and option once, with choices and kinds of paths', () => {
  const script = zshCompletion(framepackCommands());
  expect(script).toContain("    'generate:generate a video from a picture and a prompt'\n");
  expect(script).toContain("'--device=[where to compute]:value:(auto cpu cuda)'");
  expect(script).toContain(
    "'--model=[model folder, models folder of ComfyUI, weights, or a model in the Hugging Face cache such as lllyasviel/FramePackI2V_HY]:value:_files'",
  );
  expect(script).toContain("'--json[print events as one JSON object a line]'");
  expect(script).toContain("'1:argument:(bash zsh fish)'");
});

test('quotes what the shell or its completion would obey', () => {
  const option = { flags: ['--x'], description: "it's [a] $(b)", value: null };
  const script = zshCompletion([
    { name: 'c', description: "it's", options: [option], value: null },
  ]);
  expect(script).toContain(String.raw`'c:it'\''s'`);
  expect(script).toContain(String.raw`'--x[it'\''s \[a\] $(b)]'`);
});

test.skipIf(!hasShell('zsh'))('zsh takes it as the completion of framepack', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'framepack-zsh-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(path.join(folder, 'framepack.zsh'), zshCompletion(framepackCommands()));
  expect(linesOf('zsh', ['-n', 'framepack.zsh'], folder)).toEqual([]);
  const program =
    'autoload -Uz compinit; compinit -u -D; source ./framepack.zsh; print $_comps[framepack]';
  expect(linesOf('zsh', ['-f', '-c', program], folder)).toEqual(['_framepack']);
});
