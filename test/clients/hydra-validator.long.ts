import { classes } from '../support/docs.ts'
import { openWorld } from '../support/world.ts'
import { run } from './run.ts'

const { publicUrl } = await openWorld()

const documentation = [
  ['SUCCESS', `Successfully fetched ${publicUrl}/docs.jsonld`],
  ['SUCCESS', 'Response status 200'],
  ['SUCCESS', expect.stringMatching(/^Successfully parsed \d{4,} triples$/)],
  ['SUCCESS', `Entrypoint found: ${publicUrl}/`],
]
const found = ['SUCCESS', `Found ${classes.size} Supported Classes`]

/** The validator cannot send a token, so it reads public documents. */
describe('hydra-validator analyse', () => {
  test.each(['/', '/countries', '/countries/NL'])('finds no fault in %s', async (path) => {
    const { code, output } = await run('hydra-validator/index.js', 'analyse', publicUrl + path)

    const results = resultsIn(output)
    expect(results.filter(([level]) => level !== 'SUCCESS' && level !== 'INFO')).toEqual([])
    expect(results).toEqual(expect.arrayContaining([...documentation, found]))
    expect(results).toContainEqual(['SUCCESS', 'Api Documentation link found'])
    expect(results.at(-1)).toEqual(['SUCCESS', expect.stringMatching(/^Analysis complete Success: (9|1\d)$/)])
    expect(code).toBe(0)
  })

  test('finds no fault in the documentation', async () => {
    const { code, output } = await run('hydra-validator/index.js', 'analyse', `${publicUrl}/docs.jsonld`)

    expect(resultsIn(output)).toEqual(expect.arrayContaining([...documentation, found]))
    expect(resultsIn(output)).toContainEqual(['INFO', 'Resource is Api Documentation'])
    expect(resultsIn(output).at(-1)).toEqual(['SUCCESS', expect.stringMatching(/^Analysis complete Success: \d+$/)])
    expect(code).toBe(0)
  })

  test('reports the fault of a broken document', async () => {
    const { code, output } = await run('hydra-validator/index.js', 'analyse', `${publicUrl}/meetings`)

    expect(resultsIn(output)).toContainEqual(['FAILURE', 'Request failed Status code was 401'])
    expect(code).toBeGreaterThan(0)
  })
})

/** The lines of its output: each has a time, a level, an indent and a sentence. */
function resultsIn(output: string): [level: string, sentence: string][] {
  const lines = output.matchAll(/^\S+Z (SUCCESS|INFO|WARNING|FAILURE|ERROR) [\s-]*(.*?) *$/gm)
  return Array.from(lines, ([, level, sentence]) => [level, sentence])
}
