import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { mapaeHere } from './here.ts'
import { mapae } from './mapae.ts'

const COMMANDS = [
  'start',
  'token decode',
  'token verify',
  'token sign',
  'token lint',
  'users add',
  'users list',
  'users show',
  'users grant',
  'users withdraw',
  'users disable',
  'users enable',
  'users unlock',
  'users delete',
  'users import',
  'sessions list',
  'sessions show',
  'sessions end',
  'audit export',
  'keys list',
  'keys rotate',
  'migrate',
  'doctor',
]

describe('help', () => {
  test.each([[[]], [['--help']], [['-h']], [['help']]])('mapae %j lists every command', async (args) => {
    const { code, stdout, stderr } = await mapae(args)
    expect([code, stderr]).toEqual([0, ''])
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command}  `, 'm'))
    expect(stdout).toContain('Exit codes')
    expectToFit(stdout)
  })

  test.each(COMMANDS)('mapae %s --help explains it and does nothing', async (command) => {
    const { code, stdout, stderr } = await mapaeHere([...command.split(' '), '--help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`mapae ${command}`)
    expect(stdout).toMatch(/^Usage:\n/m)
    expect(stdout).toMatch(/^Exit codes:\n {2}0 /m)
    expectToFit(stdout)
    expect(await mapaeHere(['help', ...command.split(' ')])).toEqual({ code, stdout, stderr })
  })

  test.each(['token', 'users', 'sessions', 'audit', 'keys'])(
    'mapae %s --help lists what belongs to it',
    async (group) => {
      const { code, stdout } = await mapaeHere([group, '--help'])
      expect(code).toBe(0)
      for (const command of COMMANDS)
        expect(new RegExp(`^  ${command}  `, 'm').test(stdout)).toBe(command.startsWith(group))
    },
  )

  test('the version is that of the package', async () => {
    const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
    expect(await mapae(['--version'])).toMatchObject({ code: 0, stdout: `${manifest.version}\n` })
  })
})

describe('what was typed wrongly', () => {
  test.each([
    [['sart'], 'There is no command "sart"; did you mean mapae start?'],
    [['token', 'decod'], 'There is no command "token decod"; did you mean mapae token decode?'],
    [['user', 'list'], 'There is no command "user"; did you mean mapae users?'],
    [['keys', 'roate'], 'There is no command "keys roate"; did you mean mapae keys rotate?'],
    [['frobnicate'], 'There is no command "frobnicate"; see mapae --help.'],
    [['constructor'], 'There is no command "constructor"; see mapae --help.'],
    [['help', 'frobnicate'], 'There is no command "frobnicate"; see mapae --help.'],
    [['token'], 'mapae token needs to know what to do: decode, verify, sign, lint. See mapae token --help.'],
    [['start', 'now'], 'mapae start takes no arguments. See mapae start --help.'],
    [['users', 'disable'], 'mapae users disable needs ID|EMAIL|USERNAME. See mapae users disable --help.'],
    [['users', 'disable', 'a', 'b'], /takes ID\|EMAIL\|USERNAME, nothing more/],
    [['users', 'add'], 'mapae users add needs --email or --username.'],
    [['token', 'sign'], 'mapae token sign needs --key and --claims.'],
    [['token', 'verify', 'x'], 'mapae token verify needs either --jwks or --key.'],
  ])('%j ends with 2 and one sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await mapaeHere(args)
    expect([code, stdout]).toEqual([2, ''])
    expectOneSentence(stderr, sentence)
  })

  test.each([
    [
      ['start', '--prot', '1'],
      'mapae start has no option --prot; did you mean --port? See mapae start --help.',
    ],
    [['start', '-p', '1'], 'mapae start has no option -p; did you mean --port? See mapae start --help.'],
    [['start', '--port'], 'The option --port needs a value: --port=<port>. See mapae start --help.'],
    [['start', '--port', '--host'], /^The option --port needs a value/],
    [['users', 'list', '--json=yes'], 'The option --json takes no value. See mapae users list --help.'],
    [
      ['users', 'list', '--__proto__=1'],
      'mapae users list has no option --__proto__. See mapae users list --help.',
    ],
    [['users', 'list', '--constructor'], /has no option --constructor\./],
    [['start', '--port', 'http'], '--port must be a whole number from 0 to 65535, not "http".'],
    [['start', '--port', '-1'], /^The option --port needs a value/],
    [['start', '--port', '65536'], '--port must be a whole number from 0 to 65535, not "65536".'],
    [['start', '--port', '1e3'], '--port must be a whole number from 0 to 65535, not "1e3".'],
    [['start', '--access-lifetime', '0'], /^--access-lifetime must be a whole number from 1 /],
    [['start', '--reuse-interval', '301'], /^--reuse-interval must be a whole number from 0 to 300/],
    [['token', 'lint', 'e30.e30.', '--budget', '0'], /^--budget must be a whole number from 1 /],
  ])('an option of %j ends with 1 and one sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await mapaeHere(args)
    expect([code, stdout]).toEqual([1, ''])
    expectOneSentence(stderr, sentence)
  })

  test('the exit code is that of the process', async () => {
    expect(await mapae(['sart'])).toMatchObject({ code: 2, signal: null, stdout: '' })
    expect(await mapae(['start', '--prot', '1'])).toMatchObject({ code: 1, signal: null, stdout: '' })
  })

  test('a variable that cannot be is named', async () => {
    const { code, stderr } = await mapae(['start'], { env: { MAPAE_PORT: 'many' } })
    expect(code).toBe(1)
    expectOneSentence(stderr, 'MAPAE_PORT must be a whole number from 0 to 65535, not "many".')
  })

  test('what moves the cursor of a terminal is shown escaped', async () => {
    const { stderr } = await mapae(['start', '--port', '\u001b[2J\u009b1A\u202e'])
    expectOneSentence(stderr, /not "\\u001b\[2J\\u009b1A\\u202e"\.$/)
    expect((await mapae(['\u001b]0;owned\u0007'])).stderr).not.toContain('\u001b')
  })
})

function expectOneSentence(stderr: string, sentence: string | RegExp): void {
  const [line, ...rest] = stderr.split('\n')
  expect(rest).toEqual([''])
  if (typeof sentence === 'string') expect(line).toBe(sentence)
  else expect(line).toMatch(sentence)
}

function expectToFit(text: string): void {
  expect(text.split('\n').filter((line) => [...line].length > 100)).toEqual([])
}
