import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** Runs a program under the watchdog, with short limits. `blocking.long.ts` tests whole servers. */
function run(program: string) {
  const source = `import { startEventLoopWatchdog } from './dist/src/runtime/cluster/event-loop-watchdog.js'
    startEventLoopWatchdog({ tickMs: 100, maxSilentTicks: 10 })
    ${program}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
  return { child, output: text(child.stdout), ended: once(child, 'exit') }
}

test('a process whose event loop is blocked logs a line and is killed', async () => {
  const { output, ended } = run('setTimeout(() => { for (;;); }, 300)')
  expect(await ended).toEqual([null, 'SIGKILL'])
  expect(JSON.parse(await output)).toMatchObject({
    level: 60,
    msg: expect.stringMatching(/^The event loop has been blocked for 1 s/),
  })
})

test('a process that was stopped, or is busy, is not taken for a blocked one', async () => {
  const busy = 'for (const end = Date.now() + 300; Date.now() < end; );'
  const { child, output, ended } = run(`setInterval(() => { ${busy} }, 1); setTimeout(() => process.exit(7), 4000)`)
  await sleep(1000)
  child.kill('SIGSTOP')
  await sleep(2000)
  child.kill('SIGCONT')
  expect(await ended).toEqual([7, null])
  expect(await output).toBe('')
})

test('the watchdog does not keep a process alive', async () => {
  expect(await run('').ended).toEqual([0, null])
})
