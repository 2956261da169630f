import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { filesOf } from './source.ts'

/*
 * Every path and npm script that README, CONTRIBUTING, SECURITY and docs name exists: paths in backticks, targets of links, scripts.
 */
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
const documents = filesOf('README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs').filter((file) => file.endsWith('.md'))

/** Paths of this project start with one of these folders. */
const path = /^(?:src|test|entities|contexts|docs|checks|bench|deploy|\.ci)(?:\/[\w.-]+)*\/?$/

/** Paths of the example in "Adding a resource", and files that git ignores. */
const example = /\brooms?\b|^deploy\/(?:environment|\.env)$/i

const findings = documents.flatMap((file) => {
  const text = readFileSync(file, 'utf8')
  return text
    .split('\n')
    .flatMap((line, index) => faultsOf(file, line).map((fault) => `${file}:${index + 1}: ${fault}`))
})
for (const finding of findings) console.error(finding)
if (findings.length > 0) process.exitCode = 1

function faultsOf(file: string, line: string): string[] {
  const paths = [...line.matchAll(/`([^`\s]+)`/g)].map(([, name]) => name)
  const links = [...line.matchAll(/\]\(([^)#\s]+)/g)].map(([, target]) => target).filter((to) => !/^[a-z]+:/.test(to))
  const commands = [...line.matchAll(/npm run (?:(?:-s|--silent) )?([a-z]+(?::[a-z]+)*)/g)].map(([, name]) => name)
  return [
    ...paths.filter((name) => path.test(name) && !example.test(name) && !existsSync(name)).map(missing),
    ...links.filter((target) => !existsSync(join(dirname(file), target))).map(missing),
    ...commands
      .filter((name) => !Object.hasOwn(scripts, name))
      .map((name) => `no script of package.json is "${name}".`),
  ]
}

function missing(name: string): string {
  return `"${name}" does not exist.`
}
