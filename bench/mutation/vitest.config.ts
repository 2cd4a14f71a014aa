import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const root = new URL('../../', import.meta.url)
const source = (path: string) => fileURLToPath(new URL(`packages/jwt/src/${path}`, root))

/** The tests that say most in the least time come first, since the first that fails is the last that runs. */
const QUICKEST_FIRST = [
  'errors',
  'strictness',
  'cache',
  'vectors',
  'keys',
  'jwks',
  'jwe',
  'fast-paths',
  'sign-verify',
]

class Sequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) =>
      QUICKEST_FIRST.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
    return files.toSorted((a, b) => place(a) - place(b))
  }
}

/** The tests of what is mutated alone, without a database, and without those that try thousands of random inputs. */
const TESTS: Readonly<Record<string, readonly string[]>> = {
  keys: ['errors', 'strictness', 'vectors', 'keys', 'jwks', 'jwe'],
  jwks: ['errors', 'jwks', 'private-address'],
}
const folder = process.env['MAPAE_MUTATED'] ?? ''
const tests = TESTS[folder] ?? QUICKEST_FIRST

export default defineConfig({
  root: fileURLToPath(root),
  resolve: {
    alias: [
      { find: /^@mapae\/jwt$/, replacement: source('index.ts') },
      { find: /^@mapae\/jwt\/(.+)$/, replacement: source('$1.ts') },
    ],
  },
  test: {
    include: tests.map((name) => `packages/jwt/test/${name}.test.ts`),
    setupFiles: [fileURLToPath(new URL('./keys-at-hand.ts', import.meta.url))],
    testTimeout: 5_000,
    // private-address.test.ts replaces node:dns, which the others must not notice.
    isolate: folder === 'jwks',
    sequence: { sequencer: Sequencer },
  },
})
