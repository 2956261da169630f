import { setTimeout as sleep } from 'node:timers/promises'
import { Integration } from '../../../entities/index.ts'
import type { Call } from '../../hydra/index.ts'
import type { Banking } from '../banking.ts'

/** Waits until the job has brought an integration where `isDone` holds, or the request must be answered. */
export async function waitForSync(
  call: Call,
  { timing }: Banking,
  id: string,
  isDone: (integration: Integration) => boolean,
): Promise<Integration> {
  const end = Date.now() + timing.requestMs
  for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 1.5, 250)) {
    const integration = await call.get(Integration, id)
    if (isDone(integration) || Date.now() + pauseMs > end) return integration
    await sleep(pauseMs)
  }
}
