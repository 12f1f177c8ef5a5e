import type { Command } from 'commander';
import { examineMachine } from '../../../index.ts';

const MARKS = { ok: 'ok     ', missing: 'missing', broken: 'BROKEN ' } as const;

/** `framepack doctor`. Exits with 1 when something prevents runs. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('examine this machine and say what is missing')
    .option('--json', 'print the findings as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await examineMachine();
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
