import { type ModuleOverride, overrideModule } from '../workspace/modules.ts'
import { runCommand, withDatabase } from './command.ts'
import { parseOptions } from './parse-options.ts'

const usage = `npm run module -- <organization slug> <module> on [--limit <number>]  turns a module on, independent of the subscription
npm run module -- <organization slug> <module> off                  turns a module off, independent of the subscription
npm run module -- <organization slug> <module> auto                 lets the subscription decide again`

/** `npm run module` overrides a module of an organization. The operator has no route for it: modules belong to tenants. */
const { positionals, values } = parseOptions({ limit: { type: 'string' } }, usage)
const [slug, name, override = ''] = positionals
const invalid = !['on', 'off', 'auto'].includes(override) || positionals.length !== 3
if (invalid || (values.limit !== undefined && (override !== 'on' || !/^\d{1,9}$/.test(values.limit)))) {
  console.error(usage)
  process.exit(1)
}
const limit = values.limit === undefined ? null : Number(values.limit)
await runCommand((config) =>
  withDatabase(config, async (database) => {
    const { enabled, source, ...found } = await overrideModule(database, {
      slug,
      name,
      wish: override as ModuleOverride,
      limit,
    })
    const reason = source ? `set by the ${source}` : 'not in the subscription'
    console.log(
      `${slug} ${name}: ${enabled ? 'on' : 'off'} (${reason}${found.limit === null ? '' : `, limit ${found.limit}`})`,
    )
  }),
)
