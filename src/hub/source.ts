import { FramePackError } from '../errors.ts';
import { findModelSet, MODEL_SETS } from './model-sets.ts';

/** Files of one repository that a source means. */
export interface RepositoryRequest {
  /** `owner/name`. */
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Whether a file of the repository is wanted. */
  readonly wants: (path: string) => boolean;
}

const PART = /^[\w](?:[\w.-]*[\w])?$/;

/**
 * What a source names: a released model with all its repositories, one repository, or one file.
 *
 * ```text
 * lllyasviel/FramePackI2V_HY                  a released model
 * owner/name   owner/name@revision            all files of a repository
 * owner/name/folder/file.safetensors          one file or folder
 * https://huggingface.co/owner/name/...       the same, as copied from a browser
 * ```
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` when it is none of them.
 */
export function parseSource(source: string, endpoint: string): RepositoryRequest[] {
  const { repository, revision, path } = split(source, endpoint);
  const set = path === '' && revision === DEFAULT_REVISION ? findModelSet(repository) : undefined;
  if (set === undefined) {
    const wants = (file: string): boolean =>
      path === '' || file === path || file.startsWith(`${path}/`);
    return [{ repository, revision, wants }];
  }
  return set.parts.map((part) => ({
    repository: part.repository,
    revision,
    wants: (file) =>
      part.folders.some(({ name }) => name === (file.includes('/') ? file.split('/')[0]! : '')),
  }));
}

const DEFAULT_REVISION = 'main';

interface SourceName {
  readonly repository: string;
  readonly revision: string;
  readonly path: string;
}

function split(source: string, endpoint: string): SourceName {
  const name = source.startsWith(`${endpoint}/`) ? source.slice(endpoint.length + 1) : source;
  const [owner = '', named = '', ...rest] = name.replace(/\/+$/, '').split('/');
  const [repository, marked = DEFAULT_REVISION] = named.split('@');
  const isPage = rest.length > 1 && ['resolve', 'blob', 'tree'].includes(rest[0]!);
  const revision = isPage ? rest[1]! : marked;
  const path = (isPage ? rest.slice(2) : rest).join('/').replace(/\?.*$/, '');
  if (![owner, repository, revision].every((part) => part !== undefined && PART.test(part))) {
    const known = MODEL_SETS.map((set) => set.repository).join(' or ');
    throw new FramePackError(
      'ERR_ARGUMENT',
      `pull: source expected owner/name, such as ${known}, got "${source}"`,
      { source },
    );
  }
  return { repository: `${owner}/${repository}`, revision, path };
}
