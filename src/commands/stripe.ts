import { catalogue } from '../../entities/organization-module.ts'
import { runStripe } from '../emulators/stripe/command.ts'

await runStripe(catalogue)
