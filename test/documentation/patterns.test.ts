// OWASP, Regular expression Denial of Service: every pattern takes linear time, whatever a client sends.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs that step of `npm run check` over one file. */
async function runCheck(code: string): Promise<{ code: number; output: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'patterns-'))
  const file = join(directory, 'x.ts')
  await writeFile(file, code)
  const found = await new Promise<{ code: number; output: string }>((resolve) =>
    execFile(process.execPath, ['--import', 'tsx', 'checks/regular-expressions.ts', file], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), output: (stdout + stderr).replaceAll(directory, '') }),
    ),
  )
  await rm(directory, { recursive: true })
  return found
}

test('the check rejects a non-linear pattern with its file, line and an attack text', async () => {
  const code = `
    /** A comment with an é in it. */
    const fine = /^[a-z]+$/
    const token = '(?:[a-z]+|\\\\d+)'
    export const exponential = new RegExp(\`^\${token}(?:\\\\s*[\\\\s,]\\\\s*\${token})*$\`, 'i')
    @Matches(/^(a|a)*$/)
    class Thing {}
    export const spaces = fine.test('a') ? /\\s+$/ : /\\s*=/
  `
  const found = await runCheck(code)
  expect(found.code).toBe(1)
  expect(found.output).toMatch(/^\/x\.ts:5: .* takes exponential time, for example for .+\.$/m)
  expect(found.output).toMatch(/^\/x\.ts:6: \/\^\(a\|a\)\*\$\/ takes exponential time/m)
  expect(found.output).toMatch(/^\/x\.ts:8: \/\\s\+\$\/ takes 2nd degree polynomial time/m)
  expect(found.output).toMatch(/^5 regular expressions, 4 of them not linear\.$/m)
}, 60_000)

test('the check rejects a pattern built from unknown values', async () => {
  const { code, output } = await runCheck('export const made = (name: string) => new RegExp(name)')
  expect([code, output]).toEqual([1, expect.stringContaining('/x.ts:1: write this regular expression as a literal')])
})

test('the check passes a file with only linear patterns', async () => {
  expect(await runCheck('export const name = /^[a-z]+$/')).toEqual({
    code: 0,
    output: '1 regular expressions, 0 of them not linear.\n',
  })
})
