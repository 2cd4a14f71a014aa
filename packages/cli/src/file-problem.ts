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
  const code: unknown = thrown instanceof Error ? Reflect.get(thrown, 'code') : undefined
  return PROBLEMS.get(code) ?? (typeof code === 'string' ? code : 'it is not known why')
}
