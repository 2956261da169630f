import type { ComponentChildren, HTMLAttributes } from 'preact'
import type { Drawing } from '../drawing.ts'

type ScriptElement<Names extends string> = HTMLAttributes<HTMLElement> & Record<Names, string>

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'copy-text': ScriptElement<'label' | 'done'>
      'reference-lookup': ScriptElement<'label' | 'source' | 'nothing' | 'found' | 'failed'>
      'time-zone': ScriptElement<'zone' | 'locale' | 'reader' | 'choose'>
    }
  }
}

/** A text that the script can copy. */
export function CopyText({ drawing: { words }, children }: { drawing: Drawing; children: ComponentChildren }) {
  return (
    <copy-text label={words.copy} done={words.copied}>
      {children}
    </copy-text>
  )
}

/**
 * The time zone of the page's times, where its values or the titles of its references have some. The script shows them in the reader's
 * time zone, and in this one on demand.
 */
export function TimeZoneNote({
  drawing: { words, formats, titles },
  hasTimes,
}: {
  drawing: Drawing
  hasTimes: boolean
}) {
  if (!hasTimes && ![...titles.values()].some(({ moment }) => moment)) return null
  const { zone, locale } = formats
  return (
    <p class="note">
      <time-zone zone={zone} locale={locale} reader={words.readersZone(zone)} choose={words.chooseZone}>
        {words.timeZone(zone)}
      </time-zone>
    </p>
  )
}

/** A select of a reference with its search, which the script joins to a field that looks up while the person types. */
export function ReferenceLookup({
  drawing: { words },
  label,
  source,
  children,
}: {
  drawing: Drawing
  label: string
  /** The address of the page that draws the select. */
  source: string
  children: ComponentChildren
}) {
  return (
    <reference-lookup
      label={label}
      source={source}
      nothing={words.nothingToChoose}
      found={words.choicesFound}
      failed={words.searchFailed}
    >
      {children}
    </reference-lookup>
  )
}
