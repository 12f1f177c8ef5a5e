import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { FramePackError } from '../index.ts';
import { addBuildCommand } from './commands/build.ts';
import { addCalibrateCommand } from './commands/calibrate.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addConvertCommand } from './commands/convert.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addEncodeCommand } from './commands/encode.ts';
import { addGenerateCommand } from './commands/generate.ts';
import { addDoctorCommand } from './commands/inspection/doctor.ts';
import { addEstimateCommand } from './commands/inspection/estimate.ts';
import { addInspectCommand } from './commands/inspection/inspect.ts';
import { addPlanCommand } from './commands/inspection/plan.ts';
import { addResumeCommand } from './commands/job/resume.ts';
import { addPullCommand } from './commands/pull.ts';
import { EXIT_CODE_HELP, reportFailure } from './exit-codes.ts';
import { checkRequired } from './options.ts';

/**
 * The command line with all its commands.
 *
 * @param json - whether mistakes in the command line are reported as JSON; known before it is parsed.
 */
export function createProgram(json: boolean): Command {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const program = new Command('framepack')
    .description('Generate videos with FramePack, without Python.')
    .version(version)
    .showHelpAfterError(false)
    .configureOutput({
      outputError: (text, write) => {
        const message = readable(text);
        if (json) reportFailure(new FramePackError('ERR_ARGUMENT', message), json);
        else write(`framepack: ${message}\n`);
      },
    })
    .addHelpText('after', EXIT_CODE_HELP)
    .hook('preAction', (_, command) => checkRequired(command))
    .exitOverride();
  addGenerateCommand(program);
  addResumeCommand(program);
  addEstimateCommand(program);
  addDoctorCommand(program);
  addInspectCommand(program);
  addPlanCommand(program);
  addPullCommand(program);
  addConvertCommand(program);
  addBuildCommand(program);
  addEncodeCommand(program);
  addCalibrateCommand(program);
  addDemoCommand(program);
  addCompletionCommand(program);
  return program;
}

const SUGGESTION = /^(.*)\n\(Did you mean (.*)\?\)$/s;

/** A sentence of commander's in one line, beginning with what was probably meant. */
function readable(text: string): string {
  const message = text.replace(/^error: /, '').trim();
  const [, problem, meant] = SUGGESTION.exec(message) ?? [];
  return problem === undefined ? message : `did you mean ${meant}? ${problem}`;
}
