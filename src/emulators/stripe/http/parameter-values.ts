import type { Metadata } from '../objects/objects.ts'
import type { Params, Value } from './form.ts'

/** The empty text is how a form says null. */
export function text(params: Params | undefined, name: string): string | undefined {
  const value = params?.[name]
  return typeof value === 'string' ? value : undefined
}

export function textOrNull(params: Params | undefined, name: string): string | null {
  return text(params, name) || null
}

export function number(params: Params | undefined, name: string): number | undefined {
  const value = text(params, name)
  return value ? Number(value) : undefined
}

export function flag(params: Params | undefined, name: string): boolean | undefined {
  const value = text(params, name)
  return value ? value === 'true' : undefined
}

export function hash(params: Params | undefined, name: string): Params | undefined {
  const value = params?.[name]
  return isHash(value) ? value : undefined
}

export function hashes(params: Params | undefined, name: string): Params[] {
  const value = params?.[name]
  return Array.isArray(value) ? value.filter(isHash) : []
}

export function texts(params: Params | undefined, name: string): string[] {
  const value = params?.[name]
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

/** Named keys are set, keys sent empty are unset, and an empty text unsets them all. */
export function mergeMetadata(metadata: Metadata, params: Params): Metadata {
  if (params.metadata === '') return {}
  const sent = Object.entries(hash(params, 'metadata') ?? {})
  const merged = { ...metadata, ...Object.fromEntries(sent.map(([key, value]) => [key, String(value)])) }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''))
}

function isHash(value: Value | undefined): value is Params {
  return typeof value === 'object' && !Array.isArray(value)
}
