import { parentPort } from 'node:worker_threads'
import type { Answer } from '../hydra/formats/thread.ts'
import { cleanHtml } from './sanitize-html.ts'

parentPort?.on('message', ({ html }: { html: string }) => {
  parentPort?.postMessage(answerTo(html))
})
parentPort?.postMessage('ready')

function answerTo(html: string): Answer {
  try {
    return { value: cleanHtml(html) }
  } catch {
    return { problem: 'cannot be read as HTML' }
  }
}
