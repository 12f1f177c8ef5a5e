// Runs the C++ tests of a build folder, build/cuda unless named, and ends with the line every test run of this package
// ends with: `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';

const [folder = 'build/cuda'] = process.argv.slice(2);
const args = ['--test-dir', folder, '--output-on-failure', '--no-tests=error'];
const { stdout, stderr } = spawnSync('ctest', args, { encoding: 'utf8' });
process.stdout.write(`${stdout}${stderr}`);

const count = (pattern) => [...stdout.matchAll(pattern)].length;
const total = count(/^ *\d+\/\d+ Test +#\d+/gm);
const passed = count(/^ *\d+\/\d+ Test +#\d+.* Passed /gm);
const skipped = count(/^ *\d+\/\d+ Test +#\d+.*\*\*\*Skipped /gm);
const failed = total === 0 ? 1 : total - passed - skipped;
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = failed === 0 ? 0 : 1;
