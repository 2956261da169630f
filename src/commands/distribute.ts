import { withoutTimeouts } from '../../ormconfig.ts'
import { applySteps, distributionSteps } from '../postgres/distribute.ts'
import { runCommand, withDatabase } from './command.ts'
import { parseOptions } from './parse-options.ts'

const usage = `npm run distribute -- [--apply]
  Prints the statements that distribute the database with Citus. With --apply it runs those that are left.`

const { values } = parseOptions({ apply: { type: 'boolean', default: false } }, usage)

await runCommand((config) =>
  withDatabase(config, async (database) => {
    const [{ name }] = await database.query('SELECT current_database() AS "name"')
    const steps = distributionSteps(name, database.entityMetadatas)
    if (!values.apply) {
      for (const { statement } of steps) console.log(`${statement};`)
      return
    }
    const patient = await withoutTimeouts(database).initialize()
    try {
      await applySteps(patient, steps, (statement) => console.log(`${statement};`))
    } finally {
      await patient.destroy()
    }
  }),
)
