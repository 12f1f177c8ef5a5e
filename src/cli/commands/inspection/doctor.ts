import type { Command } from 'commander';
import { examineMachine, type Finding } from '../../../index.ts';
import { option, quietOption } from '../../options.ts';

const MARKS = { ok: 'ok     ', missing: 'missing', broken: 'BROKEN ' } as const;

interface DoctorFlags {
  readonly json?: boolean;
  readonly model?: string;
  readonly quiet?: boolean;
}

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
    .addOption(quietOption())
    .action(async ({ json, model, quiet }: DoctorFlags) => {
      const findings = await examineMachine({ model });
      if (json) console.log(JSON.stringify(findings, null, 2));
      else show(quiet ? findings.filter(({ status }) => status === 'broken') : findings);
      if (findings.some(({ status }) => status === 'broken')) process.exitCode = 1;
    });
}

function show(findings: readonly Finding[]): void {
  for (const { subject, status, detail, advice } of findings) {
    console.log(`${MARKS[status]} ${subject.padEnd(9)} ${detail}`);
    if (advice !== undefined) console.log(`${' '.repeat(18)}-> ${advice}`);
  }
}
