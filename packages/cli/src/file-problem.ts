import { errorCode } from './error-code.ts'

const PROBLEMS: ReadonlyMap<unknown, string> = new Map([
  ['EACCES', 'permission is denied'],
  ['EPERM', 'that is not permitted'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['ENOENT', 'there is no such file'],
  ['EISDIR', 'it is a folder'],
  ['ELOOP', 'a link is in the way'],
  ['ENOTDIR', 'a file is in the way'],
  ['EEXIST', 'a file is in the way'],
])

/** Why something with a file went wrong, as the end of a sentence. */
export function fileProblem(thrown: unknown): string {
  const code = errorCode(thrown)
  return usualFileProblem(thrown) ?? (typeof code === 'string' ? code : 'it is not known why')
}

/** The same for the usual reasons; undefined for what is none of them. */
export function usualFileProblem(thrown: unknown): string | undefined {
  return PROBLEMS.get(errorCode(thrown))
}
