import { expect, test } from 'vitest';
import {
  cachedModel,
  repositoryAt,
  repositoryNamed,
} from '../../../../src/pipeline/model/locate/cached-model.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

test.each([
  ['owner/name', 'owner/name', 'main'],
  ['owner/na.me-2_b@v1.0', 'owner/na.me-2_b', 'v1.0'],
  [`owner/name@${COMMIT}`, 'owner/name', COMMIT],
])('%s is a repository', (text, repository, revision) => {
  expect(repositoryNamed(text)).toEqual({ repository, revision });
});

test.each([
  'name',
  '',
  'a/b/c',
  './name',
  '../name',
  '/name',
  'a/../b',
  'owner/n..ame',
  'C:\\a\\b',
  'a/b@',
  'a b/c',
])('%j is none', (text) => expect(repositoryNamed(text)).toBeNull());

test.each([
  ['hub/models--owner--name', 'owner/name', 'main'],
  ['hub/models--owner--name/', 'owner/name', 'main'],
  ['hub/models--owner--na--me', 'owner/na--me', 'main'],
  [`hub/models--owner--name/snapshots/${COMMIT}`, 'owner/name', COMMIT],
])('%s is that of a repository', (path, repository, revision) => {
  expect(repositoryAt(path)).toMatchObject({
    repository,
    revision,
    cacheFolder: expect.stringMatching(/[/\\]hub$/),
  });
});

test.each([
  'hub',
  'hub/models--owner',
  'hub/models--a--b/blobs',
  `hub/models--a--b/snapshots/${COMMIT}/vae`,
])('%s is not', (path) => expect(repositoryAt(path)).toBeNull());

test('a folder without repositories is no cache', () => {
  expect(cachedModel('nowhere')).toBeNull();
});
