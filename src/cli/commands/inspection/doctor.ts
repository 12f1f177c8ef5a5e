import type { Command } from 'commander';
import { examineMachine } from '../../../index.ts';
import { option } from '../../options.ts';

const MARKS = { ok: 'ok     ', missing: 'missing', broken: 'BROKEN ' } as const;

/** `framepack doctor`. Exits with 1 when something prevents runs. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('examine this machine and say what is missing')
    .addOption(
      option('--model <path>', 'model, as for generate, to say what GPU memory it needs', {
        default: 'none',
      }),
    )
    .option('--json', 'print the findings as JSON')
    .action(async ({ json, model }: { json?: boolean; model?: string }) => {
      const findings = await examineMachine({ model });
      if (json) console.log(JSON.stringify(findings, null, 2));
      else {
        for (const { subject, status, detail, advice } of findings) {
          console.log(`${MARKS[status]} ${subject.padEnd(9)} ${detail}`);
          if (advice !== undefined) console.log(`${' '.repeat(18)}-> ${advice}`);
        }
      }
      if (findings.some(({ status }) => status === 'broken')) process.exitCode = 1;
    });
}
