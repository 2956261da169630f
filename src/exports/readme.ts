/** The origin of an archive. */
interface Origin {
  organization: { name: string; slug: string }
  publicUrl: string
  at: Date
}

/** The first file of an archive, for the person who opens it. */
export function readme({ organization: { name, slug }, publicUrl, at }: Origin): string {
  const moment = `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`
  return `English
=======
This archive has the data of ${name} (${slug}) at ${publicUrl}, as an owner saw it at ${moment}.

jsonld/    Each collection as one JSON-LD document. It contains its context, so it needs no other file.
csv/       The same rows for a spreadsheet (UTF-8, RFC 4180).
contexts/  What each property means, by class.
images/    The logo and the icon.
manifest.json lists all files with their numbers of rows. The audit log is audit-events.

Not included are secrets, such as API keys, secrets of webhooks and tokens of banks, which the service stores encrypted or as hashes.

Nederlands
==========
Dit archief bevat de gegevens van ${name} (${slug}) bij ${publicUrl}, zoals een eigenaar die zag op ${moment}.

jsonld/    Elke verzameling als één JSON-LD-document. De context staat erin, dus er is geen ander bestand nodig.
csv/       Dezelfde rijen voor een spreadsheet (UTF-8, RFC 4180).
contexts/  Wat elke eigenschap betekent, per klasse.
images/    Het logo en het icoon.
manifest.json noemt alle bestanden met hun aantal rijen. Het auditlog is audit-events.

Geheimen ontbreken, zoals API-sleutels, geheimen van webhooks en tokens van banken: de dienst bewaart die versleuteld of als hash.
`
}
