import { runKontomatik } from '../emulators/kontomatik/command.ts'

await runKontomatik()
