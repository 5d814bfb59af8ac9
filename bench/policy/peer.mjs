// The same cases through another evaluator of IAM policies, @cloud-copilot/iam-simulate:
// where the two disagree, and how many decisions it makes per second.
//
//     cd bench/policy && npm install --no-package-lock && node peer.mjs
//
// It has no requests of web identities: those cases are counted as not comparable.
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { runSimulation, anonymousPrincipal } from '@cloud-copilot/iam-simulate'

const root = new URL('../../fixtures/policies', import.meta.url).pathname
const files = readdirSync(root)
  .filter((name) => statSync(join(root, name)).isDirectory())
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
  .filter((name) => name.endsWith('.json'))
  .sort()

const named = (list) => (list ?? []).map((policy, index) => ({ name: `p${index}`, policy }))
// Each item is a level of the organisation: one document, or a list of them.
const levels = (list) =>
  (list ?? []).map((level, index) => ({ orgIdentifier: `ou-${index}`, policies: named([].concat(level)) }))

function simulation({ request, policies }) {
  const principal = request?.principal
  if (!principal || policies?.trust || principal.federated || principal.service) return undefined
  const who =
    principal === 'anonymous'
      ? anonymousPrincipal
      : (principal.assumed_role?.session_arn ??
        principal.user?.arn ??
        (principal.account_root && `arn:aws:iam::${principal.account_root.account}:root`))
  if (!who) return undefined
  const boundary = policies.boundary ? named([].concat(policies.boundary)) : undefined
  const session = [].concat(policies.session ?? [])
  if (session.length > 1) return undefined
  return {
    request: {
      principal: who,
      action: request.action,
      resource: { resource: request.resource, accountId: request.resource_account },
      contextVariables: request.context ?? {}
    },
    identityPolicies: named(policies.identity),
    serviceControlPolicies: levels(policies.service_control),
    resourceControlPolicies: levels(policies.resource_control),
    resourcePolicy: policies.resource ?? undefined,
    permissionBoundaryPolicies: boundary,
    sessionPolicy: session[0]
  }
}

const outcomes = { Allowed: 'allowed', ExplicitlyDenied: 'explicitly_denied', ImplicitlyDenied: 'implicitly_denied' }
const tally = { agree: 0, disagree: 0, refused: 0, skipped: 0 }
const comparable = []
for (const file of files) {
  const fixture = JSON.parse(readFileSync(join(root, file)))
  const input = simulation(fixture)
  if (!input) {
    tally.skipped += 1
    continue
  }
  const result = await runSimulation(input, { simulationMode: 'Strict' })
  if (result.resultType !== 'single') {
    tally.refused += 1
    console.log(`refused   ${file}: ${result.errors?.message ?? result.resultType}`)
    continue
  }
  const theirs = outcomes[result.overallResult]
  if (theirs === fixture.expected.outcome) tally.agree += 1
  else {
    tally.disagree += 1
    console.log(`disagrees ${file}: theirs ${theirs}, ours ${fixture.expected.outcome}`)
  }
  comparable.push(input)
}
console.log(JSON.stringify(tally))

const rounds = 20
const start = process.hrtime.bigint()
for (let round = 0; round < rounds; round++) for (const input of comparable) await runSimulation(input, {})
const seconds = Number(process.hrtime.bigint() - start) / 1e9
console.log(`decisions per second: ${Math.round((rounds * comparable.length) / seconds)}`)
