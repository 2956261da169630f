import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Manifest {
  apiVersion: string
  kind: string
}

/**
 * Compiles manifests as TypeScript against the types of Kubernetes, which are generated from its published schemas. Unlike
 * a validation by those schemas, this finds names that do not exist.
 */
export function manifestFaults(manifests: Manifest[]): string[] {
  const folder = mkdtempSync('node_modules/.manifests-')
  try {
    const file = join(folder, 'manifests.ts')
    writeFileSync(file, manifests.map(sourceOf).join('\n'))
    const tsc = 'node_modules/typescript/bin/tsc'
    const options = ['--ignoreConfig', '--noEmit', '--skipLibCheck', '--types', '', '--module', 'preserve']
    execFileSync(process.execPath, [tsc, ...options, '--pretty', 'false', file], { encoding: 'utf8' })
    return []
  } catch (error) {
    const { stdout } = error as { stdout: string }
    return stdout
      .trim()
      .split('\n')
      .map((line) => line.replace(/^\S+?\((\d+),.*?: error \w+/, (_, line) => manifests[(line - 1) >> 1]?.kind))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Two lines of TypeScript that give a manifest the type of its kind. */
function sourceOf(manifest: Manifest, index: number): string {
  const [group, version] = ['core', ...manifest.apiVersion.split('/')].slice(-2)
  const type = `import('kubernetes-types/${group}/${version}').${manifest.kind}`
  return `const manifest${index}: ${type} =\n  ${JSON.stringify(manifest)}`
}
