#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { FramePackError } from '../index.ts';
import { addBuildCommand } from './commands/build.ts';
import { addCalibrateCommand } from './commands/calibrate.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addEncodeCommand } from './commands/encode.ts';
import { addGenerateCommand } from './commands/generate.ts';
import { addInspectCommand } from './commands/inspect.ts';
import { addPullCommand } from './commands/pull.ts';
import { exitCodeOf, reportFailure } from './exit-codes.ts';
import { outliveOutput } from './interrupt.ts';

const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
const { version } = JSON.parse(manifest) as { version: string };
// Known before the command line is parsed, so that mistakes in it are JSON too.
const json = process.argv.includes('--json');
const program = new Command('framepack')
  .description('Generate videos with FramePack, without Python.')
  .version(version)
  .showHelpAfterError(false)
  .configureOutput({
    outputError: (text, write) => {
      const message = text.replace(/^error: /, '').trim();
      if (json) reportFailure(new FramePackError('ERR_ARGUMENT', message), json);
      else write(`framepack: ${message}\n`);
    },
  })
  .exitOverride();

outliveOutput();
addGenerateCommand(program);
addDoctorCommand(program);
addInspectCommand(program);
addPullCommand(program);
addBuildCommand(program);
addEncodeCommand(program);
addCalibrateCommand(program);
addDemoCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) reportFailure(error, json);
  process.exitCode = exitCodeOf(error);
}
