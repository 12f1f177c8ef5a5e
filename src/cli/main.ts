#!/usr/bin/env node
import { CommanderError } from 'commander';
import { exitCodeOf, reportFailure } from './exit-codes.ts';
import { outliveOutput } from './interrupt.ts';
import { createProgram } from './program.ts';

const json = process.argv.includes('--json');

outliveOutput();
try {
  await createProgram(json).parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) reportFailure(error, json);
  process.exitCode = exitCodeOf(error);
}
