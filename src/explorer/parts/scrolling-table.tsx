import type { ComponentChildren } from 'preact'
import { Scroll } from './scroll.tsx'

/** A table that scrolls on a narrow screen, also by keyboard. */
export function ScrollingTable({
  label,
  heads,
  children,
}: {
  label: string
  heads: string[]
  children: ComponentChildren
}) {
  return (
    <Scroll label={label}>
      <table>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </Scroll>
  )
}
