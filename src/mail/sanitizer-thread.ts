import { parentPort } from 'node:worker_threads'
import type { ThreadResult } from '../hydra/formats/thread.ts'
import { sanitizeHtml } from './sanitize-html.ts'

parentPort?.on('message', ({ html }: { html: string }) => {
  parentPort?.postMessage(answerTo(html))
})
parentPort?.postMessage('ready')

function answerTo(html: string): ThreadResult {
  try {
    return { value: sanitizeHtml(html) }
  } catch {
    return { problem: 'cannot be read as HTML' }
  }
}
