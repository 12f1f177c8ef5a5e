#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addCalibrateCommand } from './calibrate.ts';
import { addDemoCommand } from './demo.ts';
import { addDoctorCommand } from './doctor.ts';
import { exitCodeOf, reportFailure } from './exit-codes.ts';
import { addGenerateCommand } from './generate.ts';
import { addInspectCommand } from './inspect.ts';
import { addPullCommand } from './pull.ts';

const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
const { version } = JSON.parse(manifest) as { version: string };
const program = new Command('framepack')
  .description('Generate videos with FramePack, without Python.')
  .version(version)
  .showHelpAfterError(false)
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'framepack: ')) })
  .exitOverride();

addGenerateCommand(program);
addDoctorCommand(program);
addInspectCommand(program);
addPullCommand(program);
addCalibrateCommand(program);
addDemoCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) reportFailure(error);
  process.exitCode = exitCodeOf(error);
}
