import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FramePackError } from '../errors.ts';
import type { NativeModule } from './native-types.ts';
import { metered } from './work/work-meter.ts';

const ADDON = 'framepack';
const requireHere: NodeJS.Require = createRequire(import.meta.url);

let loaded: NativeModule | undefined;

/**
 * The native addon, loaded at the first call: a local build of this package, else the prebuilt package
 * of this platform.
 *
 * @throws {@link FramePackError} `ERR_NATIVE_LOAD` saying what was tried and what to do.
 */
export function native(): NativeModule {
  if (loaded === undefined) {
    const module = loadLocalBuild() ?? loadPlatformPackage();
    module.initialize(FramePackError);
    loaded = metered(module);
  }
  return loaded;
}

function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw loadError('found no package.json above this module', undefined);
    folder = parent;
  }
  return folder;
}

function loadLocalBuild(): NativeModule | undefined {
  const file = join(packageRoot(), 'build', 'Release', `${ADDON}.node`);
  if (!existsSync(file)) return undefined;
  try {
    return requireHere(file) as NativeModule;
  } catch (error) {
    throw loadError('the local build does not load', error);
  }
}

function loadPlatformPackage(): NativeModule {
  const name = `framepack-node-${process.platform}-${process.arch}-gnu`;
  try {
    return requireHere(name) as NativeModule;
  } catch (error) {
    throw loadError(`found neither a local build nor the package ${name}`, error);
  }
}

function loadError(reason: string, cause: unknown): FramePackError {
  const detail = cause instanceof Error ? ` (${cause.message.split('\n')[0]})` : '';
  return new FramePackError(
    'ERR_NATIVE_LOAD',
    `load: addon expected a build for ${process.platform}-${process.arch}, got none: ${reason}${detail}. ` +
      'Run "npx framepack build" once (needs a C++20 compiler and CMake); in a clone, "npm run build:native".',
    { platform: process.platform, arch: process.arch },
    cause,
  );
}

/**
 * Runs asynchronous native work. A failure happens on another thread, where there is no JavaScript
 * stack, so it gets the stack of this call.
 */
export async function settle<T>(operation: string, start: () => Promise<T>): Promise<T> {
  const callSite = new Error(operation);
  try {
    return await start();
  } catch (error) {
    if (error instanceof FramePackError && callSite.stack !== undefined) {
      const frames = callSite.stack.split('\n').slice(2).join('\n');
      error.stack = `${error.name}: ${error.message}\n${frames}`;
    }
    throw error;
  }
}
