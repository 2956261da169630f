import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The highest exposure that `systemd-analyze security` may find. */
const maxExposure = 2.0

/** The findings of systemd itself; none on a machine without it. */
export function unitFaults(text: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'unit-'))
  const file = join(folder, 'organization-api.service')
  // A unit is wrong for systemd when a program is not installed at that path.
  writeFileSync(file, text.replaceAll('/usr/bin/node', process.execPath))
  try {
    const verified = systemdAnalyze('verify', file)
    const secured = systemdAnalyze('security', '--offline=yes', `--threshold=${maxExposure * 10}`, '--no-pager', file)
    return [
      ...(verified?.output ? verified.output.trim().split('\n') : []),
      ...(secured?.status ? [`systemd finds more exposure than ${maxExposure.toFixed(1)}.`] : []),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function systemdAnalyze(...args: string[]) {
  const { error, status, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
  return error ? undefined : { status, output: stderr }
}
