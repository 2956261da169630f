import { type BenchData, type Case, cases, foundBenchTenants, optionalCases } from './cases.ts'
import { cores, describeMachine, pin } from './cores.ts'
import { openBenchDatabase } from './database.ts'
import type { BenchRequest } from './load.ts'
import { readOptions } from './options.ts'
import { rowCountingRatios } from './row-counting.ts'
import { type ServerName, Servers } from './servers.ts'
import { type Comparison, depthRatios, spread, tableOf } from './table.ts'

/*
 * Prints a table of throughput, latency and CPU time, beside those of a bare and of a naive server that send the same bodies.
 * The guide "performance" says how to read it.
 */
const rowCounting = 'row-counting'

/** Seconds after which a slow server is measured, however many requests it has answered. */
const longestWarmUp = 5

const options = readOptions(process.argv.slice(2), {
  all: [...Object.keys(cases), rowCounting],
  byDefault: Object.keys(cases).filter((name) => !optionalCases.includes(name)),
})
const names = options.cases.filter((name) => name !== rowCounting)
const compared: ServerName[] = ['ours', 'bare', ...(options.naive ? (['naive'] as const) : [])]

const opened = await openBenchDatabase()
const servers = new Servers(opened)
try {
  const data = await foundBenchTenants(opened.database, opened.issuer, names)
  if (names.length > 0) await compareAll(data)
  if (options.cases.includes(rowCounting)) {
    const ratios = await rowCountingRatios(opened.url, data.reads[0].organization, options.rounds)
    console.log(`Inserts by 16 writers, time with row counting by time without: ratio ${spread(ratios)}`)
  }
} finally {
  await servers.stop()
  await opened.close()
}

async function compareAll(data: BenchData): Promise<void> {
  const tenants = [...data.reads, ...data.writes, ...data.mix, ...data.deep]
  await servers.start(
    compared,
    Object.fromEntries(tenants.map(({ authorization, organization }) => [authorization, organization])),
  )
  pin(cores.load, process.pid)
  const comparisons: Comparison[] = []
  for (const name of names) comparisons.push(...(await compare(cases[name], data)))
  console.log(`${describeMachine(opened.version)}\n`)
  console.log(
    `Medians of ${options.rounds} alternating rounds of ${options.seconds} s, log at \`${process.env.LOG_LEVEL ?? 'info'}\`.\n`,
  )
  console.log(tableOf(comparisons))
  for (const sentence of depthRatios(comparisons)) console.log(`\n${sentence}`)
}

async function compare(measured: Case, data: BenchData): Promise<Comparison[]> {
  const sides = compared.filter((name) => name !== 'naive' || measured.naive)
  const targets: [keyof Measured, ServerName, BenchRequest[]][] = []
  for (const name of sides) targets.push([name, name, await measured.requests(data, name, servers)])
  if (measured.first) targets.push(['first', 'ours', measured.first(data)])
  if (measured.sameBody) await requireSameBody(measured.title, targets)
  const comparisons: Comparison[] = []
  for (const connections of options.connections) {
    // V8 compiles after a number of calls, so a server on a busy machine needs more time, and lone reads are other code.
    for (const [, server, requests] of targets)
      await servers.measure(server, requests, { connections, seconds: longestWarmUp, most: options.warmUp })
    const found: Measured = { ours: [], bare: [] }
    for (let round = 0; round < options.rounds; round++)
      // Every second round runs backwards, so that no server always follows the same one.
      for (const [side, server, requests] of round % 2 ? targets.toReversed() : targets) {
        const { seconds } = options
        found[side] = [...(found[side] ?? []), await servers.measure(server, requests, { connections, seconds })]
      }
    await opened.database.query('VACUUM "meeting"')
    comparisons.push({ title: measured.title, connections, goal: measured.goals?.[connections], ...found })
    process.stderr.write(`${measured.title}, ${connections} connections\n`)
  }
  return comparisons
}

type Measured = Pick<Comparison, 'ours' | 'bare' | 'naive' | 'first'>

async function requireSameBody(title: string, targets: [keyof Measured, ServerName, BenchRequest[]][]): Promise<void> {
  const bodies: string[] = []
  const [[, , [request]]] = targets
  for (const [side, server] of targets)
    if (side !== 'first' && request.status === 200) bodies.push((await servers.send(server, request)).body)
  const other = bodies.find((body) => body !== bodies[0])
  if (other !== undefined) throw new Error(`${title}: two responses differ.\n${bodies[0]}\n${other}`)
}
