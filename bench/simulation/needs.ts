import type { Measurement } from '../servers.ts'
import { markdown } from '../table.ts'

/*
 * The demand of an installation. Measure your own and replace these figures: they decide what is needed.
 */
const requestsADay = 200
/** The share of a day's requests in its busiest hour. */
const busiestHour = 0.15
const meetingsAMonth = 100
/** A core that is busier than this lets requests wait. */
const utilization = 0.6
/** The most cores of one Postgres, and the most bytes, before lists go to replicas or rows to nodes. */
const [coresOfOne, bytesOfOne] = [32, 2e12]

interface Simulated {
  tenants: number
  employees: number
  mix: Measurement
  /** Bytes of the database for each meeting, with everything else that an organization has. */
  bytesEach: number
}

/** A table of the needs of 1, 10 and 100 times as many organizations. */
export function needsOf({ tenants, employees, mix, bytesEach }: Simulated): string {
  const heading = ['Organizations', 'Employees', 'Requests/s, busiest hour', 'Server processes', 'Cores of Postgres']
  const rows = [1, 10, 100].map((times) => {
    const people = employees * times
    const rate = (people * requestsADay * busiestHour) / 3600
    const cores = (cpu: number) => Math.ceil((rate * cpu) / 1000 / utilization)
    const postgres = cores(mix.postgresCpu)
    const bytesAYear = people * meetingsAMonth * 12 * bytesEach
    return [
      String(tenants * times),
      String(people),
      rate.toFixed(0),
      String(cores(mix.cpu - mix.postgresCpu)),
      String(postgres),
      (bytesAYear / 1e9).toFixed(0),
      shapeOf(postgres, bytesAYear),
    ]
  })
  return markdown([[...heading, 'GB a year', 'Postgres'], ...rows])
}

function shapeOf(cores: number, bytes: number): string {
  if (bytes > bytesOfOne) return 'Citus'
  return cores > coresOfOne ? 'one, with replicas for lists' : 'one'
}
